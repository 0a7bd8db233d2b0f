"""S3."""

import json


def s3_create_bucket(s): return s.s3.create_bucket(Bucket="parity")
def s3_head_bucket(s): return s.s3.head_bucket(Bucket="parity")
def s3_head_missing_bucket(s): return s.s3.head_bucket(Bucket="parity-none")
def s3_list_buckets(s): return s.s3.list_buckets()
def s3_put_object(s): return s.s3.put_object(Bucket="parity", Key="a/one", Body=b"one", Metadata={"m": "1"}, ContentType="text/plain")
def s3_put_object_tagged(s): return s.s3.put_object(Bucket="parity", Key="a/two ü+%", Body=b"two" * 1000, Tagging="k=v")
def s3_put_bad_checksum(s): return s.s3.put_object(Bucket="parity", Key="bad", Body=b"one", ChecksumCRC32="AAAAAA==")
def s3_put_bad_md5(s): return s.s3.put_object(Bucket="parity", Key="bad", Body=b"one", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")
def s3_put_missing_bucket(s): return s.s3.put_object(Bucket="parity-none", Key="a", Body=b"one")
def s3_put_presigned(s): return s.fetch(s.s3.generate_presigned_url("put_object", Params={"Bucket": "parity", "Key": "signed"}), b"body")
def s3_get_presigned(s): return s.fetch(s.s3.generate_presigned_url("get_object", Params={"Bucket": "parity", "Key": "signed"}))
def s3_get_presigned_missing(s): return s.fetch(s.s3.generate_presigned_url("get_object", Params={"Bucket": "parity", "Key": "none"}))
def s3_get_object(s): return s.s3.get_object(Bucket="parity", Key="a/one")
def s3_get_range(s): return s.s3.get_object(Bucket="parity", Key="a/two ü+%", Range="bytes=5-9")
def s3_get_range_beyond(s): return s.s3.get_object(Bucket="parity", Key="a/one", Range="bytes=100-")
def s3_get_range_suffix(s): return s.s3.get_object(Bucket="parity", Key="a/one", Range="bytes=-2")
def s3_get_with_headers(s): return s.s3.get_object(Bucket="parity", Key="a/one", ResponseContentType="x/y", ResponseCacheControl="no-store")
def s3_get_missing(s): return s.s3.get_object(Bucket="parity", Key="none")
def s3_get_missing_bucket(s): return s.s3.get_object(Bucket="parity-none", Key="none")
def s3_head_object(s): return s.s3.head_object(Bucket="parity", Key="a/one")
def s3_head_missing(s): return s.s3.head_object(Bucket="parity", Key="none")
def s3_get_if_none_match(s):
    return s.s3.get_object(Bucket="parity", Key="a/one", IfNoneMatch=s.s3.head_object(Bucket="parity", Key="a/one")["ETag"])
def s3_get_if_match_other(s): return s.s3.get_object(Bucket="parity", Key="a/one", IfMatch='"0"')
def s3_put_if_none_match_exists(s): return s.s3.put_object(Bucket="parity", Key="a/one", Body=b"x", IfNoneMatch="*")
def s3_put_if_match(s):
    return s.s3.put_object(Bucket="parity", Key="a/one", Body=b"x", IfMatch=s.s3.head_object(Bucket="parity", Key="a/one")["ETag"])
def s3_put_if_match_missing(s): return s.s3.put_object(Bucket="parity", Key="none", Body=b"x", IfMatch='"0"')
def s3_list_v2(s): return s.s3.list_objects_v2(Bucket="parity")
def s3_list_v2_delimiter(s): return s.s3.list_objects_v2(Bucket="parity", Delimiter="/")
def s3_list_v2_page(s): return s.s3.list_objects_v2(Bucket="parity", MaxKeys=1)
def s3_list_v2_after(s): return s.s3.list_objects_v2(Bucket="parity", StartAfter="a/one", FetchOwner=True)
def s3_list_v2_bad_token(s): return s.s3.list_objects_v2(Bucket="parity", ContinuationToken="")
def s3_list_missing_bucket(s): return s.s3.list_objects_v2(Bucket="parity-none")
def s3_list_v1(s): return s.s3.list_objects(Bucket="parity", Prefix="a/")
def s3_copy(s): return s.s3.copy_object(Bucket="parity", Key="b/copy", CopySource={"Bucket": "parity", "Key": "a/two ü+%"})
def s3_copy_onto_itself(s): return s.s3.copy_object(Bucket="parity", Key="b/copy", CopySource={"Bucket": "parity", "Key": "b/copy"})
def s3_copy_missing(s): return s.s3.copy_object(Bucket="parity", Key="b/none", CopySource={"Bucket": "parity", "Key": "none"})
def s3_copy_replace(s):
    return s.s3.copy_object(Bucket="parity", Key="b/copy", CopySource={"Bucket": "parity", "Key": "b/copy"},
                            MetadataDirective="REPLACE", Metadata={"n": "2"})
def s3_get_tagging(s): return s.s3.get_object_tagging(Bucket="parity", Key="a/two ü+%")
def s3_put_tagging(s): return s.s3.put_object_tagging(Bucket="parity", Key="a/one", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
def s3_delete_tagging(s): return s.s3.delete_object_tagging(Bucket="parity", Key="a/one")
def s3_get_tagging_missing(s): return s.s3.get_object_tagging(Bucket="parity", Key="none")
def s3_multipart_create(s):
    answer = s.s3.create_multipart_upload(Bucket="parity", Key="big")
    s.kept["upload"] = answer["UploadId"]
    return answer
def s3_multipart_part(s):
    answer = s.s3.upload_part(Bucket="parity", Key="big", UploadId=s.kept["upload"], PartNumber=1, Body=b"p" * (5 << 20))
    s.kept["part"] = answer["ETag"]
    return answer
def s3_multipart_part_missing_upload(s): return s.s3.upload_part(Bucket="parity", Key="big", UploadId="none", PartNumber=1, Body=b"p")
def s3_multipart_part_0(s): return s.s3.upload_part(Bucket="parity", Key="big", UploadId=s.kept["upload"], PartNumber=0, Body=b"p")
def s3_multipart_copy_part(s):
    return s.s3.upload_part_copy(Bucket="parity", Key="big", UploadId=s.kept["upload"], PartNumber=2,
                                 CopySource={"Bucket": "parity", "Key": "a/two ü+%"}, CopySourceRange="bytes=0-9")
def s3_multipart_list_parts(s): return s.s3.list_parts(Bucket="parity", Key="big", UploadId=s.kept["upload"])
def s3_multipart_list(s): return s.s3.list_multipart_uploads(Bucket="parity")
def s3_multipart_bad_part(s):
    return s.s3.complete_multipart_upload(Bucket="parity", Key="big", UploadId=s.kept["upload"],
                                          MultipartUpload={"Parts": [{"PartNumber": 3, "ETag": '"0"'}]})
def s3_multipart_empty(s):
    return s.s3.complete_multipart_upload(Bucket="parity", Key="big", UploadId=s.kept["upload"], MultipartUpload={"Parts": []})
def s3_multipart_complete(s):
    return s.s3.complete_multipart_upload(Bucket="parity", Key="big", UploadId=s.kept["upload"],
                                          MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": s.kept["part"]}]})
def s3_multipart_named(s):
    answer = s.s3.create_multipart_upload(Bucket="parity", Key="named", ChecksumAlgorithm="SHA256")
    s.kept["upload"] = answer["UploadId"]
    return answer
def s3_multipart_named_part(s):
    return s.s3.upload_part(Bucket="parity", Key="named", UploadId=s.kept["upload"], PartNumber=1, Body=b"p", ChecksumAlgorithm="SHA256")
def s3_multipart_abort(s): return s.s3.abort_multipart_upload(Bucket="parity", Key="named", UploadId=s.kept["upload"])
def s3_multipart_abort_missing(s): return s.s3.abort_multipart_upload(Bucket="parity", Key="big", UploadId="none")
def s3_delete_object(s): return s.s3.delete_object(Bucket="parity", Key="b/copy")
def s3_delete_missing(s): return s.s3.delete_object(Bucket="parity", Key="none")
def s3_delete_bucket_not_empty(s): return s.s3.delete_bucket(Bucket="parity")
def s3_delete_objects(s):
    return s.s3.delete_objects(Bucket="parity", Delete={"Objects": [{"Key": key} for key in ("a/two ü+%", "big", "none")]})
def s3_location(s): return s.s3.get_bucket_location(Bucket="parity")
def s3_no_lifecycle(s): return s.s3.get_bucket_lifecycle_configuration(Bucket="parity")
def s3_no_policy(s): return s.s3.get_bucket_policy(Bucket="parity")
def s3_no_tagging(s): return s.s3.get_bucket_tagging(Bucket="parity")
def s3_put_bucket_tagging(s): return s.s3.put_bucket_tagging(Bucket="parity", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
def s3_get_bucket_tagging(s): return s.s3.get_bucket_tagging(Bucket="parity")
def s3_put_lifecycle(s):
    return s.s3.put_bucket_lifecycle_configuration(Bucket="parity", LifecycleConfiguration={"Rules": [
        {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "old/"}, "Expiration": {"Days": 7}}]})
def s3_get_lifecycle(s): return s.s3.get_bucket_lifecycle_configuration(Bucket="parity")
def s3_put_public_access(s):
    blocked = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    return s.s3.put_public_access_block(Bucket="parity", PublicAccessBlockConfiguration=blocked)
def s3_get_public_access(s): return s.s3.get_public_access_block(Bucket="parity")
def s3_put_policy(s):
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::parity/*",
                 "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    return s.s3.put_bucket_policy(Bucket="parity", Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
def s3_get_policy(s): return s.s3.get_bucket_policy(Bucket="parity")
def s3_delete_policy(s): return s.s3.delete_bucket_policy(Bucket="parity")
def s3_no_versioning(s): return s.s3.get_bucket_versioning(Bucket="parity")
def s3_no_notifications(s): return s.s3.get_bucket_notification_configuration(Bucket="parity")
def s3_encryption(s): return s.s3.get_bucket_encryption(Bucket="parity")
def s3_bad_bucket_name(s):
    return s.s3.create_bucket(Bucket="Parity.Bad-")
