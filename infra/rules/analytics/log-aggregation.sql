-- Requests per minute and status.
CREATE OR REPLACE STREAM "DESTINATION_SQL_STREAM" (
    datetime TIMESTAMP,
    status INTEGER,
    statusCount INTEGER);

CREATE OR REPLACE PUMP "STREAM_PUMP" AS
    INSERT INTO "DESTINATION_SQL_STREAM"
    SELECT STREAM
        ROWTIME AS datetime,
        "response" AS status,
        COUNT(*) AS statusCount
    FROM "SOURCE_SQL_STREAM_001"
    GROUP BY
        "response",
        FLOOR(("SOURCE_SQL_STREAM_001".ROWTIME - TIMESTAMP '1970-01-01 00:00:00') minute / 1 TO MINUTE);
