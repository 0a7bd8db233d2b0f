//! The one metric of ours: a line in CloudWatch's embedded metric format, from which CloudWatch Logs makes it.

use serde_json::json;

/// Says that an application's watermark waits: `Logmill`, `StalledWatermark`, by `FunctionName`. Printed only then, so that it
/// costs nothing otherwise.
pub fn stalled(function: &str, application: &str, now: i64) {
    println!("{}", line(function, application, now));
}

fn line(function: &str, application: &str, now: i64) -> serde_json::Value {
    json!({
        "_aws": {
            "Timestamp": now,
            "CloudWatchMetrics": [{
                "Namespace": "Logmill",
                "Dimensions": [["FunctionName"]],
                "Metrics": [{"Name": "StalledWatermark", "Unit": "Count"}],
            }],
        },
        "FunctionName": function,
        "application": application,
        "StalledWatermark": 1,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_metric_names_what_it_refers_to() {
        let line = super::line("f", "a", 5);
        let metric = &line["_aws"]["CloudWatchMetrics"][0];
        for name in [&metric["Dimensions"][0][0], &metric["Metrics"][0]["Name"]] {
            assert!(!line[name.as_str().unwrap()].is_null());
        }
    }
}
