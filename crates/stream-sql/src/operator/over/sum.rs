//! Sums from which numbers can be taken away again: nothing is rounded until they are read, so nothing stays behind.

use serde::{Deserialize, Serialize};

/// From here on numbers are added up apart, at 2^-100 of their size, so that no sum overflows on its way: 2^900.
const HUGE: f64 = f64::from_bits((900 + 1023) << 52);
const HUGE_SCALE: f64 = f64::from_bits((100 + 1023) << 52);

/// Squares of numbers from here on could overflow in a sum: 2^440.
const MAX_MOMENT: f64 = f64::from_bits((440 + 1023) << 52);

/// An exact sum: as many doubles as it takes, none of which overlaps another, ascending (Shewchuk 1997). Two or three as a rule, 40
/// at most.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Exact(#[serde(with = "all_bits")] Vec<f64>);

impl Exact {
    /// Of a finite number, far enough from the largest one.
    pub(super) fn add(&mut self, number: f64) {
        let (mut high, mut kept) = (number, 0);
        for place in 0..self.0.len() {
            let (sum, rest) = two_sum(high, self.0[place]);
            if rest != 0.0 {
                self.0[kept] = rest;
                kept += 1;
            }
            high = sum;
        }
        self.0.truncate(kept);
        if high != 0.0 {
            self.0.push(high);
        }
    }

    pub(super) fn add_product(&mut self, a: f64, b: f64) {
        let (product, rest) = two_product(a, b);
        self.add(rest);
        self.add(product);
    }

    /// Multiplies with a power of two that is not above 1.
    pub(super) fn scale(&mut self, power: f64) {
        self.0.iter_mut().for_each(|part| *part *= power);
        self.0.retain(|part| *part != 0.0);
    }

    pub(super) fn value(&self) -> f64 {
        self.0.iter().fold(0.0, |sum, part| sum + part)
    }
}

/// The sum of two numbers, and by how much it was rounded.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let of_b = sum - a;
    (sum, (a - (sum - of_b)) + (b - of_b))
}

/// The product of two numbers, and by how much it was rounded.
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    let ((a_high, a_low), (b_high, b_low)) = (halves(a), halves(b));
    (product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low))
}

/// A number as two of 26 bits each.
fn halves(a: f64) -> (f64, f64) {
    let scaled = 134_217_729.0 * a;
    let high = scaled - (scaled - a);
    (high, a - high)
}

/// A sum of any doubles. What is no finite number is counted, and gone when it has left.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sum {
    #[serde(rename = "x")]
    exact: Exact,
    #[serde(rename = "o")]
    odd: Option<Box<Odd>>,
}

/// What does not go into an exact sum.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Odd {
    nans: i64,
    infinite: i64,
    minus_infinite: i64,
    huge: Exact,
}

impl Sum {
    /// Adds a number, or takes it away again.
    pub(super) fn add(&mut self, number: f64, leaves: bool) {
        let signed = if leaves { -number } else { number };
        if number.abs() < HUGE {
            return self.exact.add(signed);
        }
        let odd = self.odd.get_or_insert_default();
        let count = if leaves { -1 } else { 1 };
        if number.is_nan() {
            odd.nans += count;
        } else if number == f64::INFINITY {
            odd.infinite += count;
        } else if number == f64::NEG_INFINITY {
            odd.minus_infinite += count;
        } else {
            odd.huge.add(signed / HUGE_SCALE);
        }
        if **odd == Odd::default() {
            self.odd = None;
        }
    }

    pub(super) fn scale(&mut self, power: f64) {
        self.exact.scale(power);
        if let Some(odd) = &mut self.odd {
            odd.huge.scale(power);
        }
    }

    pub(super) fn value(&self) -> f64 {
        let Some(odd) = &self.odd else { return self.exact.value() };
        if odd.nans > 0 || (odd.infinite > 0 && odd.minus_infinite > 0) {
            return f64::NAN;
        }
        if odd.infinite > 0 {
            return f64::INFINITY;
        }
        if odd.minus_infinite > 0 {
            return f64::NEG_INFINITY;
        }
        let mut sum = odd.huge.clone();
        self.exact.0.iter().for_each(|part| sum.add(part / HUGE_SCALE));
        sum.value() * HUGE_SCALE
    }
}

/// What the variance of numbers needs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Moments {
    #[serde(rename = "n")]
    count: i64,
    /// Numbers that are not finite, or too large: as long as there is one, the variance is NaN.
    #[serde(rename = "o")]
    odd: i64,
    #[serde(rename = "x")]
    sum: Exact,
    #[serde(rename = "q")]
    squares: Exact,
}

impl Moments {
    pub(super) fn add(&mut self, number: f64, leaves: bool) {
        let count = if leaves { -1 } else { 1 };
        self.count += count;
        if number.abs() < MAX_MOMENT {
            self.sum.add(if leaves { -number } else { number });
            self.squares.add_product(number, if leaves { -number } else { number });
        } else {
            self.odd += count;
        }
    }

    pub(super) fn variance(&self, sample: bool) -> Option<f64> {
        let divisor = self.count - i64::from(sample);
        if divisor <= 0 {
            return None;
        }
        if self.odd > 0 {
            return Some(f64::NAN);
        }
        // n Σx² - (Σx)², of which nothing is lost however near to each other the two are.
        let count = self.count as f64;
        let mut difference = Exact::default();
        for part in &self.squares.0 {
            difference.add_product(*part, count);
        }
        for a in &self.sum.0 {
            for b in &self.sum.0 {
                difference.add_product(*a, -b);
            }
        }
        Some((difference.value() / count / divisor as f64).max(0.0))
    }
}

/// 2^exponent, of an exponent that is not above 0.
pub(super) fn power_of_two(exponent: i64) -> f64 {
    match exponent {
        -1022..=0 => f64::from_bits(((exponent + 1023) as u64) << 52),
        -1074..=-1023 => f64::from_bits(1 << (exponent + 1074)),
        _ => 0.0,
    }
}

/// Doubles by their bits: see [`crate::value::bits`].
mod all_bits {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(parts: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(parts.iter().map(|part| part.to_bits()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        Ok(Vec::<u64>::deserialize(deserializer)?.into_iter().map(f64::from_bits).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_left_leaves_nothing_behind() {
        let numbers = [1e300, 1e-300, -1e16, 1.0, f64::NAN, 0.1, f64::INFINITY, 1.7e308, 1.7e308, f64::NEG_INFINITY];
        let mut sum = Sum::default();
        numbers.iter().for_each(|number| sum.add(*number, false));
        assert!(sum.value().is_nan());
        let mut moments = Moments::default();
        for number in numbers {
            sum.add(number, true);
            moments.add(number, false);
            moments.add(number, true);
        }
        assert_eq!((sum, moments), (Sum::default(), Moments::default()));
    }

    #[test]
    fn variances_far_from_zero() {
        let mut moments = Moments::default();
        for number in [1e15, 1e15 + 1.0, 1e15 + 2.0] {
            moments.add(number, false);
        }
        assert_eq!(moments.variance(true), Some(1.0));
        let mut moments = Moments::default();
        (0..7).for_each(|_| moments.add(0.1, false));
        assert_eq!(moments.variance(false), Some(0.0));
    }
}
