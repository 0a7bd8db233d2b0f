//! The operations, between s3s's types and the tables. An operation that is not here is s3s's default: a 501 that names it.

mod bucket;
mod configuration;
mod convert;
mod copy;
mod list;
mod read;
mod tagging;
mod upload;
mod write;

use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use crate::Ctx;

/// What s3s calls.
pub(super) struct Backend {
    ctx: Ctx,
}

impl Backend {
    pub(super) fn new(ctx: Ctx) -> Backend {
        Backend { ctx }
    }
}

/// Each operation of s3s's trait by the function that does it.
macro_rules! operations {
    ($($name:ident($input:ident) -> $output:ident = $function:path;)*) => {
        #[async_trait::async_trait]
        impl S3 for Backend {
            $(
                async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    $function(&self.ctx, request).await
                }
            )*
        }
    };
}

operations! {
    list_buckets(ListBucketsInput) -> ListBucketsOutput = bucket::list;
    create_bucket(CreateBucketInput) -> CreateBucketOutput = bucket::create;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = bucket::head;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = bucket::delete;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = bucket::location;

    get_bucket_notification_configuration(GetBucketNotificationConfigurationInput)
        -> GetBucketNotificationConfigurationOutput = configuration::get_notifications;
    put_bucket_notification_configuration(PutBucketNotificationConfigurationInput)
        -> PutBucketNotificationConfigurationOutput = configuration::put_notifications;
    get_bucket_encryption(GetBucketEncryptionInput) -> GetBucketEncryptionOutput = configuration::get_encryption;
    put_bucket_encryption(PutBucketEncryptionInput) -> PutBucketEncryptionOutput = configuration::put_encryption;
    delete_bucket_encryption(DeleteBucketEncryptionInput) -> DeleteBucketEncryptionOutput
        = configuration::delete_encryption;
    get_bucket_lifecycle_configuration(GetBucketLifecycleConfigurationInput) -> GetBucketLifecycleConfigurationOutput
        = configuration::get_lifecycle;
    put_bucket_lifecycle_configuration(PutBucketLifecycleConfigurationInput) -> PutBucketLifecycleConfigurationOutput
        = configuration::put_lifecycle;
    delete_bucket_lifecycle(DeleteBucketLifecycleInput) -> DeleteBucketLifecycleOutput
        = configuration::delete_lifecycle;
    get_public_access_block(GetPublicAccessBlockInput) -> GetPublicAccessBlockOutput
        = configuration::get_public_access_block;
    put_public_access_block(PutPublicAccessBlockInput) -> PutPublicAccessBlockOutput
        = configuration::put_public_access_block;
    delete_public_access_block(DeletePublicAccessBlockInput) -> DeletePublicAccessBlockOutput
        = configuration::delete_public_access_block;
    get_bucket_policy(GetBucketPolicyInput) -> GetBucketPolicyOutput = configuration::get_policy;
    put_bucket_policy(PutBucketPolicyInput) -> PutBucketPolicyOutput = configuration::put_policy;
    delete_bucket_policy(DeleteBucketPolicyInput) -> DeleteBucketPolicyOutput = configuration::delete_policy;
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = configuration::get_versioning;
    put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = configuration::put_versioning;

    get_bucket_tagging(GetBucketTaggingInput) -> GetBucketTaggingOutput = tagging::get_bucket;
    put_bucket_tagging(PutBucketTaggingInput) -> PutBucketTaggingOutput = tagging::put_bucket;
    delete_bucket_tagging(DeleteBucketTaggingInput) -> DeleteBucketTaggingOutput = tagging::delete_bucket;
    get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = tagging::get_object;
    put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = tagging::put_object;
    delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = tagging::delete_object;

    put_object(PutObjectInput) -> PutObjectOutput = write::put;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = write::delete;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = write::delete_many;
    copy_object(CopyObjectInput) -> CopyObjectOutput = copy::object;
    get_object(GetObjectInput) -> GetObjectOutput = read::get;
    head_object(HeadObjectInput) -> HeadObjectOutput = read::head;
    list_objects(ListObjectsInput) -> ListObjectsOutput = list::version_1;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = list::version_2;

    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = upload::create;
    upload_part(UploadPartInput) -> UploadPartOutput = upload::part;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = copy::part;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = upload::complete;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = upload::abort;
    list_parts(ListPartsInput) -> ListPartsOutput = upload::list_parts;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = upload::list;
}
