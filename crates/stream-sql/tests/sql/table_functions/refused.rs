//! Calls that are refused.

use super::{compile, pump};

#[test]
fn what_is_wrong_is_named_where_it_stands() {
    let select = |call: &str| pump("a INTEGER", &format!("TABLE({call})"));
    let cursor = "CURSOR(SELECT STREAM * FROM s)";
    let top = |rest: &str| select(&format!("TOP_K_ITEMS_TUMBLING({cursor}, {rest})"));
    let rank = |rest: &str| select(&format!("GROUP_RANK({cursor}, {rest})"));
    let x = "CURSOR(SELECT STREAM \"x\" FROM s)";
    let rcf = |rest: &str| select(&format!("RANDOM_CUT_FOREST({x}{rest})"));
    let hot = |rest: &str| select(&format!("HOTSPOTS({x}, {rest})"));
    let cases = [
        (select("FROBNICATE(CURSOR(SELECT STREAM * FROM s))"), 28, "table function FROBNICATE is not supported"),
        (select("TOP_K_ITEMS_TUMBLING('k', 1, 1)"), 28, "first argument is no CURSOR"),
        (top("'k', 1"), 28, "Invalid number of arguments to function 'TOP_K_ITEMS_TUMBLING': it is TOP_K_ITEMS"),
        (top("'k', 1, 1, 1"), 28, "Invalid number of arguments"),
        (top("'K', 1, 1"), 81, "Column 'K' not found in the CURSOR of TOP_K_ITEMS_TUMBLING: did you mean 'k'?"),
        (top("\"k\", 1, 1"), 81, "a name in single quotes"),
        (top("'', 1, 1"), 81, "a name in single quotes"),
        (top("'k', 0, 1"), 86, "K must be a whole number from 1 to 100000"),
        (top("'k', -1, 1"), 86, "K must be"),
        (top("'k', 100001, 1"), 86, "K must be"),
        (top("'k', '5', 1"), 86, "K must be"),
        (top("'k', 1 + 1, 1"), 86, "K must be"),
        (top("'k', 1, 3601"), 89, "the window must be a whole number from 1 to 3600"),
        (top(&format!("'k', 1, {cursor}")), 89, "There is one CURSOR"),
        (rank("'n', 'r', 'up', 'asc', 0, 0"), 81, "'asc' or 'desc'"),
        (rank("'n', 'r', 'asc', 1, 0, 0"), 88, "'asc', 'desc' or 'none'"),
        (rank("'n', 'r', 'asc', 'asc', -1, 0"), 95, "the idle time"),
        (rank("'n', 'r', 'asc', 'asc', 0, 2147483648"), 98, "the number of rows"),
        (rcf(", 0"), 80, "numberOfTrees must be a whole number from 1 to 1000"),
        (rcf(", 100, 9"), 85, "subSampleSize must be a whole number from 10 to 1000"),
        (rcf(", 100, 10, 10"), 89, "timeDecay must be greater than subSampleSize"),
        (rcf(", 100, 256, 1e5"), 90, "timeDecay must be a whole number"),
        (rcf(", 1, 10, 100, 31"), 92, "shingleSize must be a whole number from 1 to 30"),
        (rcf(", 1, 10, 100, 1, TRUE"), 28, "Invalid number of arguments"),
        (rcf(", 1000, 1000, 2000, 5"), 28, "is 5000000: more than 4194304"),
        (select("RANDOM_CUT_FOREST(CURSOR(SELECT STREAM * FROM s))"), 67, "Column 'd' is a DECIMAL, which RANDOM_CUT"),
        (select("HOTSPOTS(CURSOR(SELECT STREAM \"k\" FROM s), 100, 1, 2)"), 28, "the CURSOR has 0"),
        (select(&format!("RANDOM_CUT_FOREST_WITH_EXPLANATION({x}, 1, 10, 100, 1, 1)")), 112, "must be TRUE or FALSE"),
        (hot("99, 1, 2"), 71, "windowSize must be a whole number from 100 to 1000"),
        (hot("100, 0, 2"), 76, "scanRadius must be a number greater than 0"),
        (hot("100, -0.5, 2"), 76, "scanRadius must be"),
        (hot("100, '1', 2"), 76, "scanRadius must be"),
        (hot("100, 0.5, 101"), 81, "must be a whole number from 2 to 100"),
        (rank("'m', 'r', 'asc', 'asc', 0, 0"), 71, "Column 'm' not found"),
        (select("TOP_K_ITEMS_TUMBLING(CURSOR(SELECT STREAM m FROM s), 'm', 1, 1)"), 70, "Column 'M' not found"),
    ];
    for (sql, column, message) in cases {
        let error = compile(&sql).unwrap_err();
        assert!(error.to_string().contains(message), "{sql}\n{error}");
        assert_eq!((error.line, error.column), (3, column), "{sql}\n{error}");
    }
}
