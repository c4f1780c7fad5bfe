# SPDX-License-Identifier: Apache-2.0
"""The lab behaves like IMDS and EC2, not like a happy path: what it refuses, limits, and is told to spoil."""
import http.client
import json
import os
import signal
import threading
import time
import urllib.parse

import client
import lab
import sigv4

TTL = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN = "X-aws-ec2-metadata-token"


class Metadata(lab.Case):
    def ask(self, cloud, path, token=None, method="GET", headers=()):
        given = dict(headers, **({TOKEN: token} if token else {}))
        return client.open_url(cloud.endpoints["imds"] + path, method, given)

    def token(self, cloud, ttl="60"):
        status, _, body = self.ask(cloud, "/latest/api/token", method="PUT", headers={TTL: ttl})
        self.assertEqual(status, 200)
        return body.decode()

    def test_a_token_is_needed_for_everything(self):
        with lab.Cloud() as cloud:
            path = "/latest/meta-data/instance-id"
            self.assertEqual(self.ask(cloud, path)[0], 401)
            self.assertEqual(self.ask(cloud, path, "AQAEAwrong==")[0], 401)
            status, _, body = self.ask(cloud, path, self.token(cloud))
            self.assertEqual((status, body.decode()), (200, cloud.instance_id))

    def test_a_token_expires(self):
        with lab.Cloud() as cloud:
            token, end = self.token(cloud, "1"), time.monotonic() + 20
            while self.ask(cloud, "/latest/meta-data/", token)[0] == 200 and time.monotonic() < end:
                time.sleep(0.1)
            self.assertEqual(self.ask(cloud, "/latest/meta-data/", token)[0], 401)

    def test_a_bad_request_for_a_token_is_refused(self):
        rows = ((("PUT", "/latest/api/token", {}), 400), (("PUT", "/latest/api/token", {TTL: "0"}), 400),
                (("PUT", "/latest/api/token", {TTL: "21601"}), 400), (("PUT", "/latest/api/token", {TTL: "x"}), 400),
                (("PUT", "/latest/api/token", {TTL: "60", "X-Forwarded-For": "10.0.0.1"}), 403),
                (("PUT", "/2021-03-23/api/token", {TTL: "60"}), 403), (("GET", "/latest/api/token", {}), 405),
                (("POST", "/latest/meta-data/", {}), 405), (("GET", "/nothing/here", {}), 404))
        with lab.Cloud() as cloud:
            for (method, path, headers), status in rows:
                with self.subTest(method=method, path=path, headers=headers):
                    self.assertEqual(self.ask(cloud, path, method=method, headers=headers)[0], status)

    def test_items_are_those_of_one_instance(self):
        with lab.Cloud() as cloud:
            token = self.token(cloud)

            def item(path):
                status, _, body = self.ask(cloud, "/latest/" + path, token)
                return body.decode() if status == 200 else status

            document = json.loads(item("dynamic/instance-identity/document"))
            self.assertEqual(document["instanceId"], item("meta-data/instance-id"))
            self.assertEqual(document["region"], item("meta-data/placement/region"))
            self.assertEqual(document["availabilityZone"], item("meta-data/placement/availability-zone"))
            self.assertIn("placement/", item("meta-data/").split("\n"))
            self.assertEqual(item("meta-data/services/domain"), "amazonaws.com")
            role = item("meta-data/iam/security-credentials/")
            self.assertEqual(json.loads(item("meta-data/iam/security-credentials/" + role))["Code"], "Success")
            for absent in ("user-data", "meta-data/tags/instance", "meta-data/spot/instance-action"):
                self.assertEqual(item(absent), 404, absent)

    def test_user_data_is_the_file_as_it_is_now(self):
        path = os.path.join(self.tmp, "user-data")
        with open(path, "wb") as file:
            file.write(bytes(range(256)))
        with lab.Cloud(options=["--user-data", path, "--instance-tags"]) as cloud:
            token = self.token(cloud)
            self.assertEqual(self.ask(cloud, "/latest/user-data", token)[2], bytes(range(256)))
            self.assertEqual(self.ask(cloud, "/latest/meta-data/tags/instance/Name", token)[2], b"nodevol lab")

    def test_faults_strike_as_often_as_they_are_told(self):
        with lab.Cloud(faults=["imds-503@api/token:2", "imds-401:1#2"]) as cloud:
            asked = [self.ask(cloud, "/latest/api/token", method="PUT", headers={TTL: "60"})[0] for _ in range(3)]
            self.assertEqual(asked, [503, 503, 200])
            token = self.token(cloud)
            self.assertEqual([self.ask(cloud, "/latest/meta-data/", token)[0] for _ in range(3)], [200, 401, 401])
            self.assertEqual({row["fault"]: row["fired"] for row in cloud.control("faults")},
                             {"imds-503@api/token:2": 2, "imds-401:1#2": 1})
            cloud.set_faults("imds-disabled")
            self.assertEqual(self.ask(cloud, "/latest/meta-data/", token)[0], 403)
            cloud.set_faults("no-role")
            token = self.token(cloud)
            self.assertEqual(self.ask(cloud, "/latest/meta-data/iam/security-credentials/", token)[0], 404)

    def test_an_unknown_fault_is_not_taken(self):
        with self.assertRaisesRegex(RuntimeError, "unknown fault 'imds-504'"):
            with lab.Cloud(faults=["imds-504"]):
                pass


class Signatures(lab.Case):
    def post(self, cloud, body=b"Action=DescribeVolumes&Version=2016-11-15", change=None, **signing):
        keys, url = cloud.keys, cloud.endpoints["ec2"] + "/"
        wanted = dict({"key_id": keys["AWS_ACCESS_KEY_ID"], "secret": keys["AWS_SECRET_ACCESS_KEY"],
                       "region": keys["AWS_REGION"], "service": "ec2"}, **signing)
        headers = dict(sigv4.signed_headers("POST", url, body, **wanted))
        if change:
            headers, body = change(headers, body)
        status, _, answer = client.open_url(url, "POST", headers, body)
        return status, client.parse_xml(answer).findtext(".//Code")

    def test_only_a_right_signature_is_taken(self):
        def unsigned(headers, body):
            return {name: value for name, value in headers.items() if name != "Authorization"}, body

        old = time.strftime(sigv4.STAMP, time.gmtime(time.time() - 16 * 60))
        ahead = time.strftime(sigv4.STAMP, time.gmtime(time.time() + 16 * 60))
        rows = (({}, 200, None), ({"key_id": "AKIAX"}, 401, "AuthFailure"),
                ({"secret": "x"}, 403, "SignatureDoesNotMatch"),
                ({"region": "us-east-1"}, 403, "SignatureDoesNotMatch"),
                ({"service": "ebs"}, 403, "SignatureDoesNotMatch"),
                ({"stamp": old}, 400, "RequestExpired"), ({"stamp": ahead}, 400, "RequestExpired"),
                ({"change": unsigned}, 403, "MissingAuthenticationToken"),
                ({"change": lambda headers, body: (headers, body + b"&MaxResults=5")}, 403, "SignatureDoesNotMatch"),
                ({"change": lambda headers, body: (dict(headers, **{"x-amz-extra": "1"}), body)}, 403,
                 "SignatureDoesNotMatch"),
                ({"change": lambda headers, body: (dict(headers, Authorization="AWS4-HMAC-SHA256 x"), body)}, 400,
                 "IncompleteSignature"))
        with lab.Cloud() as cloud:
            for given, status, code in rows:
                with self.subTest(given=given):
                    self.assertEqual(self.post(cloud, **given), (status, code))

    def test_the_roles_keys_need_their_token(self):
        with lab.Cloud() as cloud:
            url = cloud.endpoints["imds"] + "/latest/"
            token = client.open_url(url + "api/token", "PUT", {TTL: "60"})[2].decode()
            role = json.loads(client.open_url(url + "meta-data/iam/security-credentials/nodevol-lab", "GET",
                                              {TOKEN: token})[2])
            given = {"key_id": role["AccessKeyId"], "secret": role["SecretAccessKey"]}
            self.assertEqual(self.post(cloud, token=role["Token"], **given), (200, None))
            self.assertEqual(self.post(cloud, **given), (401, "AuthFailure"))
            self.assertEqual(self.post(cloud, token="another", **given), (401, "AuthFailure"))

    def test_no_secret_is_recorded(self):
        with lab.Cloud() as cloud:
            self.post(cloud)
            with open(os.path.join(cloud.state, "calls.jsonl")) as file:
                text = file.read()
            self.assertIn("DescribeVolumes", text)
            self.assertNotIn(cloud.keys["AWS_SECRET_ACCESS_KEY"], text)


class Volumes(lab.Case):
    def create(self, cloud, **parameters):
        given = dict({"AvailabilityZone": cloud.endpoints["zone"], "Size": 20, "VolumeType": "gp3"}, **parameters)
        return cloud.call("CreateVolume", **{name: value for name, value in given.items() if value is not None})

    def refused(self, function, *args, **parameters):
        with self.assertRaises(client.EC2Error) as caught:
            function(*args, **parameters)
        return caught.exception.code, caught.exception.message

    def test_gp3_is_limited_as_ec2_limits_it(self):
        value = "InvalidParameterValue"
        rows = ((dict(Size=0), value, "too small for volume type gp3; minimum is 1GiB"),
                (dict(Size=65537), value, "too large for volume type gp3; maximum is 65536GiB"),
                (dict(Iops=2999), value, "Volume iops of 2999 is too low; minimum is 3000"),
                (dict(Size=200, Iops=80001), value, "Volume iops of 80001 is too high; maximum is 80000"),
                (dict(Iops=10001), value, "Iops to volume size ratio of 500.050000 is too high; maximum is 500"),
                (dict(Throughput=124), value, "Volume throughput of 124 is too low"),
                (dict(Throughput=751), value, "Throughput (MiBps) to iops ratio of 0.250333 is too high"),
                (dict(VolumeType="gp4"), "UnknownVolumeType", "gp4"),
                (dict(VolumeType="gp2", Throughput=125), "InvalidParameterCombination", "not supported for gp2"),
                (dict(Size=None), "MissingParameter", "size/snapshot"),
                (dict(Size="x"), value, "Size"),
                (dict(AvailabilityZone=None), "MissingParameter", "AvailabilityZone"),
                (dict(AvailabilityZone="eu-central-1z"), "InvalidZone.NotFound", "eu-central-1z"),
                (dict(AvailabilityZoneId="euc1-az2"), "InvalidParameterCombination", "exclusive"),
                (dict(SnapshotId="snap-0123"), "InvalidSnapshot.NotFound", "snap-0123"),
                (dict(VolumeInitializationRate=200), value, "initialization rate"),
                (dict(Thoughput=125), "UnknownParameter", "Thoughput is not recognized"),
                (dict(DryRun="true"), "DryRunOperation", "Request would have succeeded"))
        with lab.Cloud() as cloud:
            for parameters, code, text in rows:
                with self.subTest(parameters=parameters):
                    found = self.refused(self.create, cloud, **parameters)
                    self.assertEqual(found[0], code)
                    self.assertIn(text, found[1])
            self.assertEqual(len(cloud.volumes()), 1, "only the root volume")
            made = self.create(cloud, Size=160, Iops=80000, Throughput=2000)
            self.assertEqual((made.findtext("iops"), made.findtext("throughput"), made.findtext("encrypted")),
                             ("80000", "2000", "true"))
            self.assertEqual(self.create(cloud, VolumeType=None).findtext("volumeType"), "gp2", "the API's default")

    def test_a_client_token_makes_one_volume(self):
        with lab.Cloud() as cloud:
            first, second = self.create(cloud, ClientToken="t"), self.create(cloud, ClientToken="t")
            self.assertEqual(first.findtext("volumeId"), second.findtext("volumeId"))
            self.assertEqual(self.refused(self.create, cloud, ClientToken="t", Size=21)[0],
                             "IdempotentParameterMismatch")
            self.assertEqual(len(cloud.volumes()), 2)

    def test_attaching_is_refused_as_ec2_refuses_it(self):
        options = ["--volume", "size=4,id=vol-0aaaaaaaaaaaaaaaa,zone=eu-central-1b",
                   "--volume", "size=4,id=vol-0bbbbbbbbbbbbbbbb,name=/dev/sdf,instance=i-0fedcba9876543210"]
        with lab.Cloud(volumes=["/dev/xvdb:4"], options=options) as cloud:
            volume = self.create(cloud).findtext("volumeId")

            def attach(**parameters):
                given = dict({"VolumeId": volume, "InstanceId": cloud.instance_id, "Device": "/dev/sdc"}, **parameters)
                return cloud.call("AttachVolume", **given)

            rows = ((dict(VolumeId="vol-0aaaaaaaaaaaaaaaa"), "InvalidVolume.ZoneMismatch", "same availability zone"),
                    (dict(VolumeId="vol-0bbbbbbbbbbbbbbbb"), "VolumeInUse", "already attached"),
                    (dict(VolumeId="vol-0cccccccccccccccc"), "InvalidVolume.NotFound", "does not exist"),
                    (dict(VolumeId="vol-xyz"), "InvalidVolumeID.Malformed", "malformed"),
                    (dict(InstanceId="i-0cccccccccccccccc"), "InvalidInstanceID.NotFound", "does not exist"),
                    (dict(Device="/dev/sdb"), "InvalidParameterValue", "already in use"),
                    (dict(Device="/dev/xvda"), "InvalidParameterValue", "already in use"),
                    (dict(Device="/dev/hda"), "InvalidParameterValue", "not a valid EBS device name"),
                    (dict(Device=""), "MissingParameter", "Device"))
            for parameters, code, text in rows:
                with self.subTest(parameters=parameters):
                    found = self.refused(attach, **parameters)
                    self.assertEqual(found[0], code)
                    self.assertIn(text, found[1])
            self.assertEqual(attach().findtext("status"), "attached")
            self.assertEqual(self.refused(attach)[0], "VolumeInUse")
            cloud.control("node", {"state": "shutting-down"})
            other = self.create(cloud).findtext("volumeId")
            self.assertEqual(self.refused(attach, VolumeId=other, Device="/dev/sdd")[0], "IncorrectState")

    def test_describing_filters_and_pages(self):
        with lab.Cloud() as cloud:
            for number in range(7):
                self.create(cloud, **{"TagSpecification.1.ResourceType": "volume", "TagSpecification.1.Tag.1.Key": "n",
                                      "TagSpecification.1.Tag.1.Value": "v%d <&>" % number})

            def sizes(**parameters):
                return len(cloud.call("DescribeVolumes", **parameters).findall("volumeSet/item"))

            self.assertEqual(sizes(), 8)
            self.assertEqual(sizes(Filter_1_Name="tag:n", Filter_1_Value_1="v1 <&>", Filter_1_Value_2="v2*"), 2)
            self.assertEqual(sizes(Filter_1_Name="tag:n", Filter_1_Value_1="v\\*"), 0)
            self.assertEqual(sizes(Filter_1_Name="attachment.instance-id", Filter_1_Value_1=cloud.instance_id), 1)
            self.assertEqual(sizes(Filter_1_Name="tag:n", Filter_1_Value_1="*", Filter_2_Name="status",
                                   Filter_2_Value_1="in-use"), 0)
            page = cloud.call("DescribeVolumes", MaxResults=5)
            self.assertEqual(len(page.findall("volumeSet/item")), 5)
            rest = cloud.call("DescribeVolumes", MaxResults=5, NextToken=page.findtext("nextToken"))
            self.assertEqual((len(rest.findall("volumeSet/item")), rest.findtext("nextToken")), (3, None))
            volume = page.findtext("volumeSet/item/volumeId")
            self.assertEqual(self.refused(cloud.call, "DescribeVolumes", VolumeId_1=volume, MaxResults=5)[0],
                             "InvalidParameterCombination")
            self.assertEqual(self.refused(cloud.call, "DescribeVolumes", Filter_1_Name="tag-n",
                                          Filter_1_Value_1="x")[0], "InvalidParameterValue")
            self.assertEqual(self.refused(cloud.call, "DescribeVolumes", VolumeId_1=volume,
                                          VolumeId_2="vol-0cccccccccccccccc")[0], "InvalidVolume.NotFound")
            self.assertEqual(self.refused(cloud.call, "DescribeDisks")[0], "InvalidAction")

    def test_answers_have_no_blanks_between_elements_and_no_fixed_order(self):
        with lab.Cloud() as cloud:
            orders = set()
            for _ in range(5):
                root = cloud.call("DescribeVolumes")
                orders.add(tuple(item.tag for item in root.find("volumeSet/item")))
                self.assertTrue(all(not item.tail for item in root.iter()))
            self.assertGreater(len(orders), 1)

    def test_a_volume_goes_through_its_states(self):
        with lab.Cloud(transitions="ec2") as cloud:
            made = self.create(cloud)
            volume = made.findtext("volumeId")
            self.assertEqual(made.findtext("status"), "creating")
            attach = dict(VolumeId=volume, InstanceId=cloud.instance_id, Device="/dev/xvdb")
            self.assertEqual(self.refused(cloud.call, "DescribeVolumes", VolumeId_1=volume)[0],
                             "InvalidVolume.NotFound")
            self.assertEqual(self.refused(cloud.call, "AttachVolume", **attach)[0], "IncorrectState")
            self.wait(cloud, volume, "status", "available")
            self.assertEqual(cloud.call("AttachVolume", **attach).findtext("status"), "attaching")
            self.wait(cloud, volume, "attachmentSet/item/status", "attached")
            cloud.call("ModifyInstanceAttribute", **{
                "InstanceId": cloud.instance_id, "BlockDeviceMapping.1.DeviceName": "/dev/xvdb",
                "BlockDeviceMapping.1.Ebs.DeleteOnTermination": "true"})
            self.wait(cloud, volume, "attachmentSet/item/deleteOnTermination", "true")
            self.assertEqual(self.refused(cloud.call, "DeleteVolume", VolumeId=volume)[0], "VolumeInUse")
            self.assertEqual(cloud.call("DetachVolume", VolumeId=volume).findtext("status"), "detaching")
            self.wait(cloud, volume, "status", "available")
            self.assertEqual(self.refused(cloud.call, "DetachVolume", VolumeId=volume)[0], "IncorrectState")
            cloud.call("DeleteVolume", VolumeId=volume)
            self.assertIn(self.refused(cloud.call, "AttachVolume", **attach)[0],
                          ("IncorrectState", "InvalidVolume.NotFound"))

    def wait(self, cloud, volume, path, wanted):
        found, end = None, time.monotonic() + 30
        while found != wanted:
            self.assertLess(time.monotonic(), end, "still %s" % found)
            try:
                found = cloud.call("DescribeVolumes", VolumeId_1=volume).findtext("volumeSet/item/" + path)
            except client.EC2Error as error:
                self.assertEqual(error.code, "InvalidVolume.NotFound", "not visible yet")
            time.sleep(0.05)


class Limits(lab.Case):
    """Calls with the tool's key: those of the tests' own are neither throttled nor spoilt."""

    def call(self, cloud, action="DescribeVolumes", **parameters):
        keys = dict(cloud.endpoints, **{"test-key-id": cloud.endpoints["access-key-id"],
                                        "test-secret": cloud.endpoints["secret-access-key"]})
        try:
            client.ask_ec2(keys, action, parameters)
            return None
        except client.EC2Error as error:
            return error.status, error.code

    def test_a_bucket_is_emptied_and_fills_again(self):
        with lab.Cloud(options=["--bucket", "describe=3/2", "--bucket", "unfiltered=1/0.1"]) as cloud:
            limited = (503, "RequestLimitExceeded")
            one = {"VolumeId.1": cloud.volumes()[0]["volumeId"]}
            self.assertEqual([self.call(cloud, **one) for _ in range(4)], [None, None, None, limited])
            self.assertEqual([self.call(cloud) for _ in range(2)], [None, limited], "it has a bucket of its own")
            end = time.monotonic() + 20
            while self.call(cloud, **one) and time.monotonic() < end:
                time.sleep(0.1)
            self.assertLess(time.monotonic(), end)
            self.assertIn(503, [call["status"] for call in cloud.calls("ec2", "DescribeVolumes")])

    def test_throttling_ends_when_it_was_told_to(self):
        with lab.Cloud(faults=["ec2-throttle:1"]) as cloud:
            self.assertEqual(self.call(cloud), (503, "RequestLimitExceeded"))
            end = time.monotonic() + 20
            while self.call(cloud) and time.monotonic() < end:
                time.sleep(0.1)
            self.assertLess(time.monotonic(), end)

    def test_a_call_that_fails_with_5xx_has_done_nothing(self):
        with lab.Cloud(faults=["ec2-5xx@CreateVolume:4"]) as cloud:
            body = urllib.parse.urlencode({"Action": "CreateVolume", "Version": "2016-11-15", "Size": 1,
                                           "AvailabilityZone": cloud.endpoints["zone"]}).encode()
            url, keys, found = cloud.endpoints["ec2"] + "/", cloud.keys, []
            for _ in range(5):
                headers = sigv4.signed_headers("POST", url, body, keys["AWS_ACCESS_KEY_ID"],
                                               keys["AWS_SECRET_ACCESS_KEY"], keys["AWS_REGION"], "ec2")
                found.append(client.open_url(url, "POST", headers, body)[0])
            self.assertEqual(found, [500, 503, 502, 504, 200])
            self.assertEqual(len(cloud.volumes()), 2)

    def test_a_call_that_is_cut_was_done(self):
        with lab.Cloud(faults=["ec2-cut@CreateVolume"]) as cloud:
            with self.assertRaises(http.client.IncompleteRead):
                self.call(cloud, "CreateVolume", AvailabilityZone=cloud.endpoints["zone"], Size=1, ClientToken="t")
            self.assertIsNone(self.call(cloud, "CreateVolume", AvailabilityZone=cloud.endpoints["zone"], Size=1,
                                        ClientToken="t"))
            self.assertEqual(len(cloud.volumes()), 2)

    def test_volumes_and_attachments_fail_when_told_to(self):
        faults = ["volume-fails:1", "stuck-attaching", "name-in-use:1", "ec2-denied@DeleteVolume"]
        with lab.Cloud(faults=faults) as cloud:
            zone = cloud.endpoints["zone"]
            self.assertEqual(cloud.call("CreateVolume", AvailabilityZone=zone, Size=1).findtext("status"), "error")
            volume = cloud.call("CreateVolume", AvailabilityZone=zone, Size=1).findtext("volumeId")
            attach = dict(VolumeId=volume, InstanceId=cloud.instance_id, Device="/dev/sdf")
            with self.assertRaisesRegex(client.EC2Error, "already in use"):
                cloud.call("AttachVolume", **attach)
            self.assertEqual(cloud.call("AttachVolume", **attach).findtext("status"), "attaching")
            self.assertEqual(self.call(cloud, "DeleteVolume", VolumeId=volume), (403, "UnauthorizedOperation"))


class Lifetime(lab.Case):
    def test_it_ends_with_its_lifetime_and_with_a_signal(self):
        with lab.Cloud(lifetime=0.5) as cloud:
            self.assertEqual(cloud.process.wait(30), 0)
        with lab.Cloud() as cloud:
            cloud.process.send_signal(signal.SIGTERM)
            self.assertEqual(cloud.process.wait(30), 0)

    def test_what_hangs_does_not_keep_it(self):
        with lab.Cloud(faults=["imds-hang", "ec2-hang"]) as cloud:
            waiting = threading.Thread(target=self.ask, args=(cloud.endpoints["imds"],), daemon=True)
            waiting.start()
            while not cloud.calls("imds"):
                time.sleep(0.02)
            self.assertIsNone(cloud.calls("imds")[0]["status"])
            cloud.process.terminate()
            self.assertEqual(cloud.process.wait(30), 0)

    def ask(self, url):
        try:
            client.open_url(url + "/latest/api/token", "PUT", {TTL: "60"})
        except (OSError, http.client.HTTPException):
            pass    # the end of the cloud is the end of the request
