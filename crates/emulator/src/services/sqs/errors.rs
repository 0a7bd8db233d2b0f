//! The errors of SQS: each has a name in the JSON protocol, and a code of the older query protocol that SDKs still report
//! (the `awsQueryError` traits of the service model).

use crate::error::ApiError;

fn fault(name: &str, query_code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::bad_request(&format!("com.amazonaws.sqs#{name}"), message).with_query_code(query_code)
}

/// No such queue.
pub fn no_queue(name: &str) -> ApiError {
    let message = format!("The specified queue does not exist: {name}");
    fault("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", message)
}

/// CreateQueue with other attributes than the queue has.
pub fn queue_exists(attribute: &str) -> ApiError {
    let message = format!("A queue already exists with the same name and a different value for attribute {attribute}");
    fault("QueueNameExists", "QueueAlreadyExists", message)
}

/// A parameter whose value is outside its bounds.
pub fn invalid_value(message: impl Into<String>) -> ApiError {
    ApiError::bad_request("com.amazon.coral.service#InvalidParameterValueException", message)
        .with_query_code("InvalidParameterValue")
}

/// A parameter that is not there.
pub fn missing(parameter: &str) -> ApiError {
    let message = format!("The request must contain the parameter {parameter}.");
    ApiError::bad_request("com.amazon.coral.service#MissingRequiredParameterException", message)
        .with_query_code("MissingParameter")
}

/// A queue attribute that does not exist.
pub fn unknown_attribute(name: &str) -> ApiError {
    fault("InvalidAttributeName", "InvalidAttributeName", format!("Unknown Attribute {name}."))
}

/// A queue attribute with a value outside its bounds.
pub fn attribute_value(name: &str, expected: &str) -> ApiError {
    let message = format!("Invalid value for the parameter {name}: expected {expected}.");
    fault("InvalidAttributeValue", "InvalidAttributeValue", message)
}

/// A character that XML cannot hold.
pub fn contents(character: char) -> ApiError {
    let message = format!(
        "Invalid characters found: U+{:04X}. Valid: #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
        u32::from(character)
    );
    fault("InvalidMessageContents", "InvalidMessageContents", message)
}

/// A receipt handle that was never one.
pub fn receipt_handle(handle: &str) -> ApiError {
    let message = format!("The input receipt handle \"{handle:.80}\" is not a valid receipt handle.");
    fault("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", message)
}

/// A change of visibility of a message that anybody can receive already.
pub fn not_in_flight() -> ApiError {
    let message = "The specified message isn't in flight.";
    fault("MessageNotInflight", "AWS.SimpleQueueService.MessageNotInflight", message)
}

/// Too many messages in flight.
pub fn over_limit(limit: i64) -> ApiError {
    fault("OverLimit", "OverLimit", format!("Too many messages in flight: the limit of a queue is {limit}."))
}

/// A second purge within a minute.
pub fn purge_in_progress(name: &str) -> ApiError {
    let message = format!("Only one PurgeQueue operation on {name} is allowed every 60 seconds.");
    fault("PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress", message)
}

/// A batch without entries.
pub fn empty_batch() -> ApiError {
    let message = "There should be at least one entry in the request.";
    fault("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest", message)
}

/// More than ten entries.
pub fn too_many_entries(count: usize) -> ApiError {
    let message = format!("Maximum number of entries per request are 10. You have sent {count}.");
    fault("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", message)
}

/// Two entries with one id.
pub fn ids_not_distinct(id: &str) -> ApiError {
    fault("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", format!("Id {id} repeated."))
}

/// An id with other characters than it may have.
pub fn batch_entry_id(id: &str) -> ApiError {
    let message = format!(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters \
         long. Found: {id:?}"
    );
    fault("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId", message)
}

/// A batch whose messages together are too long.
pub fn batch_too_long(limit: usize, length: usize) -> ApiError {
    let message = format!("Batch requests cannot be longer than {limit} bytes. You have sent {length} bytes.");
    fault("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong", message)
}

/// A resource that a move task names and that is not there.
pub fn resource_not_found(message: impl Into<String>) -> ApiError {
    fault("ResourceNotFoundException", "ResourceNotFoundException", message)
}
