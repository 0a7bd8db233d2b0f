//! What happens to a stream, fixed beforehand: which line arrives when in which shard, a split, the schedule's ticks.

use super::Dice;
use super::streams::{ShardLog, World};

/// What happens next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A line arrives in a shard.
    Line(usize, String),
    /// The first shard is closed, and has two children.
    Split,
    /// The schedule ticks.
    Tick,
    /// The application is changed, where a test does that.
    Change,
}

/// Milliseconds between ticks: more often than the real schedule, so that windows see several.
const TICK: i64 = 7_000;

/// Moments with the milliseconds after the one before, in which so many lines arrive, many at the same time; some come twice, if
/// they may.
pub fn moments(seed: u64, lines: u64, repeats: bool) -> Vec<(i64, Moment)> {
    let dice = Dice::new(seed);
    let (mut moments, mut clock, mut open) = (Vec::new(), 0, vec![0, 1, 2]);
    let line = |number: u64| {
        let (key, n) = (["\"a\"", "\"b\"", "null"][dice.below(3) as usize], dice.below(100));
        // Three files, a byte a line.
        let (file, at) = (number % 3, number / 3);
        format!(r#"{{"response":"200","k":{key},"n":{n},"id":"f{file}-{at}-{}"}}"#, at + 1)
    };
    let mut before: Vec<String> = Vec::new();
    for number in 0..lines {
        let gaps = [0, 0, 0, 1, 40, 300, 2_000, 4_000];
        let mut gap = gaps[dice.below(gaps.len() as u64) as usize];
        if (clock + gap) / TICK > clock / TICK {
            let tick = (clock + gap) / TICK * TICK;
            moments.push((tick - clock, Moment::Tick));
            (gap, clock) = (clock + gap - tick, tick);
        }
        if number == lines / 2 {
            moments.extend([(0, Moment::Split), (0, Moment::Change)]);
            open = vec![1, 2, 4, 5];
        }
        let line = match repeats && dice.once_in(8) && !before.is_empty() {
            true => before[before.len() - 1 - dice.below(before.len().min(9) as u64) as usize].clone(),
            false => line(number),
        };
        moments.push((gap, Moment::Line(open[dice.below(open.len() as u64) as usize], line.clone())));
        before.push(line);
        clock += gap;
    }
    moments
}

/// Lets it happen to the stream.
pub fn happen(world: &mut World, after: i64, moment: &Moment) {
    world.clock += after;
    match moment {
        Moment::Line(shard, line) => world.put(*shard, line),
        Moment::Split => {
            world.shards[0].closed = true;
            for _ in 0..2 {
                world.shards.push(ShardLog { parent: Some(0), ..ShardLog::default() });
            }
        }
        Moment::Tick | Moment::Change => {}
    }
}
