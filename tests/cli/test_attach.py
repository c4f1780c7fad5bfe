# SPDX-License-Identifier: Apache-2.0
"""ebs-attach against the lab's EC2: the three ways to a volume, and what can go wrong on each."""
import http.server
import os
import ssl
import threading
import unittest

import lab

OTHER = "i-0fffffffffffffff0"
A, B = "vol-0aaaaaaaaaaaaaaaa", "vol-0bbbbbbbbbbbbbbbb"


def volume(**words):
    """A volume from before, in the words of cloud.py's --volume; tag_x stands for tag.x."""
    words.setdefault("size", 1)
    return ["--volume", ",".join("%s=%s" % (name.replace("tag_", "tag."), value) for name, value in words.items())]


class TlsServer:
    """An EC2 behind TLS that knows no volume. .asked: the Host header of each request that arrived."""

    def __init__(self, certificate, key):
        self.asked = asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                asked.append(self.headers["Host"])
                self.rfile.read(int(self.headers["Content-Length"]))
                body = (b"<Response><Errors><Error><Code>InvalidVolume.NotFound</Code><Message/></Error></Errors>"
                        b"<RequestID/></Response>")
                self.send_response(400)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(http.server.HTTPServer):
            def handle_error(self, *_):
                pass    # a client that does not like our certificate

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.url = "https://localhost:%d" % self.port

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class AttachCase(lab.Case):
    def attach(self, cloud, *args, env=None, **more):
        return self.run_tool("ebs-attach", *args, root=cloud.root, env=dict(cloud.env, **(env or {})),
                             preload=[cloud.preload], **more)

    def assertEnds(self, result, status, *words):
        self.assertEqual(result.status, status, result)
        for word in words:
            self.assertIn(word, result.err)

    def actions(self, cloud):
        return [call["action"] for call in cloud.calls("ec2")]

    def data_volumes(self, cloud):
        """All but the root volume."""
        found = [row for row in cloud.volumes() if [a["device"] for a in row["attachmentSet"]] != ["/dev/xvda"]]
        return {row["volumeId"]: row for row in found}


class WithDevices(AttachCase):
    """The whole way to a disk: needs root for loop devices."""

    def setUp(self):
        super().setUp()
        self.need_root()

    def test_a_created_volume_is_what_was_asked_for_and_there_is_only_one(self):
        with lab.Cloud(devices=True) as cloud:
            words = ("--create", "--size", "2", "--iops", "1000000")
            self.assertEnds(self.attach(cloud, *words), 1, "CreateVolume")     # EC2 knows its limits, not we
            words = ("--create", "--size", "20", "--iops", "6000", "--throughput", "500", "--set-tag", "team=a b+c/ü&")
            result = self.attach(cloud, *words)
            self.assertEqual(result.status, 0, result)
            self.assertRegex(result.out, r"^/dev/nvme[0-9]+n1\n$")
            [row] = self.data_volumes(cloud).values()
            self.assertEqual((row["size"], row["volumeType"], row["iops"], row["throughput"]), (20, "gp3", 6000, 500))
            self.assertIn({"key": "team", "value": "a b+c/ü&"}, row["tagSet"])
            self.assertIn({"key": "nodevol/instance", "value": cloud.instance_id}, row["tagSet"])
            [attachment] = row["attachmentSet"]
            self.assertEqual((attachment["device"], attachment["deleteOnTermination"]), ("/dev/sdf", True))
            again = self.attach(cloud, *words)
            self.assertEqual((again.status, again.out), (0, result.out), again)
            self.assertEqual(len(self.data_volumes(cloud)), 1)

    def test_it_takes_five_calls_at_most_and_one_when_all_is_done(self):
        with lab.Cloud(devices=True) as cloud:
            first = self.attach(cloud, "--json", "--create", "--size", "1")
            self.assertLessEqual(len(self.actions(cloud)), 5)
            self.assertEqual(first.json["api-calls"], len(self.actions(cloud)))
            before = len(self.actions(cloud))
            again = self.attach(cloud, "--json", "--create", "--size", "1")
            self.assertEqual((again.json["done"], again.json["api-calls"]), ("nothing", 1))
            self.assertEqual(self.actions(cloud)[before:], ["DescribeVolumes"])

    def test_it_takes_eight_calls_at_most_when_things_take_their_time(self):
        with lab.Cloud(devices=True, transitions="ec2") as cloud:
            for device in ("/dev/sdf", "/dev/sdg"):     # the device comes before "attached", and after it
                before = len(self.actions(cloud))
                result = self.attach(cloud, "--json", "--create", "--size", "1", "--device", device)
                self.assertEqual(result.status, 0, result)
                self.assertLessEqual(len(self.actions(cloud)) - before, 8)
                row = self.data_volumes(cloud)[result.json["volume-id"]]
                [attachment] = row["attachmentSet"]
                self.assertEqual((attachment["status"], attachment["device"]), ("attached", device))
                self.assertTrue(attachment["deleteOnTermination"])

    def test_json_says_what_was_done(self):
        with lab.Cloud(devices=True) as cloud:
            found = self.attach(cloud, "--json", "--create", "--size", "3").json
            expected = {"done": "created", "dry-run": False, "size-bytes": 3 << 30, "encrypted": True, "empty": True,
                        "name": "/dev/sdf"}
            self.assertEqual({name: found[name] for name in expected}, expected)
            self.assertIn(found["volume-id"], self.data_volumes(cloud))

    def test_a_volume_is_attached_by_its_id_and_stays_when_the_instance_goes(self):
        with lab.Cloud(devices=True, options=volume(id=A)) as cloud:
            result = self.attach(cloud, "--volume-id", A, "--device", "/dev/sdk")
            self.assertEqual(result.status, 0, result)
            [attachment] = self.data_volumes(cloud)[A]["attachmentSet"]
            self.assertEqual((attachment["device"], attachment["deleteOnTermination"]), ("/dev/sdk", False))
            self.assertEqual(self.attach(cloud, "--volume-id", A).out, result.out)
            self.assertEqual(self.actions(cloud), ["DescribeVolumes", "AttachVolume", "DescribeVolumes"])

    def test_of_several_volumes_with_the_tags_the_one_that_can_be_had_is_taken(self):
        options = (volume(id=A, tag_role="x", zone="eu-central-1b") + volume(id=B, tag_role="x") +
                   volume(id="vol-0cccccccccccccccc", tag_role="x", instance=OTHER, name="/dev/sdf") +
                   volume(id="vol-0dddddddddddddddd", tag_role="y"))
        with lab.Cloud(devices=True, options=options) as cloud:
            self.assertEqual(self.attach(cloud, "--json", "--find-tag", "role=x").json["volume-id"], B)
            self.assertEqual(self.attach(cloud, "--json", "--find-tag", "role=x").json["done"], "nothing")

    def test_a_volume_to_keep_is_not_deleted_with_the_instance(self):
        with lab.Cloud(devices=True) as cloud:
            result = self.attach(cloud, "--json", "--create", "--size", "1", "--keep")
            self.assertFalse(result.json["delete-on-termination"])
            self.assertNotIn("ModifyInstanceAttribute", self.actions(cloud))
            [row] = self.data_volumes(cloud).values()
            self.assertFalse(row["attachmentSet"][0]["deleteOnTermination"])

    def test_without_the_permission_the_volume_stays_and_that_is_said(self):
        with lab.Cloud(devices=True, faults=["ec2-denied@ModifyInstanceAttribute"]) as cloud:
            result = self.attach(cloud, "--create", "--size", "1")
            self.assertEnds(result, 0, "warning: ", "stays when the instance is terminated")

    def test_a_name_in_use_is_passed_over_when_the_disks_show_it_and_when_only_ec2_knows(self):
        with lab.Cloud(devices=True, volumes=["/dev/xvdf:1", "sdg:1"], faults=["name-in-use:2"]) as cloud:
            result = self.attach(cloud, "--json", "--create", "--size", "1")
            self.assertEqual(result.json["name"], "/dev/sdj", result)
            self.assertEqual(self.actions(cloud).count("AttachVolume"), 3)

    def test_answers_that_do_not_arrive_make_no_second_volume(self):
        for action in ("DescribeVolumes", "CreateVolume", "AttachVolume", "ModifyInstanceAttribute"):
            with self.subTest(action), lab.Cloud(devices=True, faults=["ec2-cut@" + action]) as cloud:
                self.assertEqual(self.attach(cloud, "--create", "--size", "1").status, 0)
                [row] = self.data_volumes(cloud).values()
                self.assertEqual(row["attachmentSet"][0]["status"], "attached")
                self.assertTrue(row["attachmentSet"][0]["deleteOnTermination"])

    def test_server_errors_are_tried_again(self):
        with lab.Cloud(devices=True, faults=["ec2-5xx@CreateVolume:4", "ec2-5xx@AttachVolume:2"]) as cloud:
            self.assertEqual(self.attach(cloud, "--create", "--size", "1").status, 0)
            self.assertEqual(self.actions(cloud).count("CreateVolume"), 5)

    def test_throttling_for_30_seconds_is_waited_out(self):
        with lab.Cloud(devices=True, faults=["ec2-throttle:30"]) as cloud:
            self.assertEqual(self.attach(cloud, "--create", "--size", "1").status, 0)

    def test_a_wrong_clock_is_corrected_for_signing(self):
        with lab.Cloud(devices=True, faults=["clock-skew"]) as cloud:
            result = self.attach(cloud, "--create", "--size", "1")
            self.assertEnds(result, 0, "s behind EC2's")
            self.assertEqual(len([call for call in cloud.calls("ec2") if call.get("error")]), 1)

    def test_a_volume_that_fails_after_its_creation_is_replaced(self):
        with lab.Cloud(devices=True, transitions="ec2", faults=["volume-fails:1"]) as cloud:
            result = self.attach(cloud, "--create", "--size", "1")
            self.assertEnds(result, 0, "failed after it was created")

    def test_a_device_of_another_size_is_exit_3(self):
        with lab.Cloud(devices=True, faults=["wrong-size"]) as cloud:
            self.assertEnds(self.attach(cloud, "--create", "--size", "1"), 3)

    def test_a_device_that_does_not_come_is_exit_75(self):
        for fault in ("device-never", "stuck-attaching", "wrong-device"):
            with self.subTest(fault), lab.Cloud(devices=True, faults=[fault]) as cloud:
                self.assertEnds(self.attach(cloud, "--deadline", "3", "--create", "--size", "1"), 75)

    def test_what_a_killed_run_has_left_is_finished_by_the_next(self):
        with lab.Cloud(devices=True, transitions="ec2") as cloud:
            for deadline in ("1", "3", "4"):
                self.attach(cloud, "--deadline", deadline, "--create", "--size", "1")
            self.assertEqual(self.attach(cloud, "--create", "--size", "1").status, 0)
            [row] = self.data_volumes(cloud).values()
            self.assertTrue(row["attachmentSet"][0]["deleteOnTermination"])


class WithoutDevices(AttachCase):
    """What is decided before any disk is needed."""

    def test_a_volume_in_another_zone_is_exit_1_with_both_zones(self):
        with lab.Cloud(options=volume(id=A, zone="eu-central-1b", tag_role="x")) as cloud:
            for words in (["--volume-id", A], ["--find-tag", "role=x"]):
                self.assertEnds(self.attach(cloud, *words), 1, A, "eu-central-1b", "eu-central-1a")
            self.assertNotIn("AttachVolume", self.actions(cloud))

    def test_a_volume_in_use_elsewhere_is_exit_1_with_the_instance(self):
        with lab.Cloud(options=volume(id=A, instance=OTHER, name="/dev/sdf", tag_role="x")) as cloud:
            for words in (["--volume-id", A], ["--find-tag", "role=x"]):
                self.assertEnds(self.attach(cloud, *words), 1, A, OTHER)
            self.assertNotIn("AttachVolume", self.actions(cloud))

    def test_a_volume_or_snapshot_that_does_not_exist_is_exit_4(self):
        with lab.Cloud(options=volume(tag_role="y")) as cloud:
            self.assertEnds(self.attach(cloud, "--volume-id", A), 4, A)
            self.assertEnds(self.attach(cloud, "--find-tag", "role=x"), 4, "'role' = 'x'")
            self.assertEnds(self.attach(cloud, "--find-tag", "role=y", "--find-tag", "other=z"), 4)
            snapshot = "snap-0123456789abcdef0"
            self.assertEnds(self.attach(cloud, "--create", "--snapshot", snapshot), 4, snapshot)

    def test_contradictions_are_exit_2_and_nothing_is_asked(self):
        rows = ([], ["--volume-id", "vol-1"], ["--volume-id", A, "--find-tag", "a=b"], ["--volume-id", A, "--create"],
                ["--volume-id", A, "--size", "1"], ["--find-tag", "a"], ["--find-tag", "=b"], ["--create"],
                ["--create", "--size", "0"], ["--create", "--size", "65537"], ["--create", "--size", "1GiB"],
                ["--create", "--size", "1", "--kms-key", "k"],
                ["--create", "--size", "1", "--initialization-rate", "100"],
                ["--create", "--snapshot", "s", "--snapshot-tag", "a=b"],
                ["--create", "--size", "1", "--set-tag", "nodevol/x=y"],
                ["--create", "--size", "1", "--set-tag", "aws:x=y"], ["--create", "--size", "1", "--device", "sdf"],
                ["--find-tag", "a=b", "--keep"], ["--create", "--size", "1", "operand"])
        with lab.Cloud() as cloud:
            for words in rows:
                with self.subTest(words):
                    self.assertEnds(self.attach(cloud, *words), 2)
            self.assertEqual(cloud.calls(), [])

    def test_a_dry_run_says_what_it_would_do_and_does_nothing(self):
        with lab.Cloud(options=volume(id=A)) as cloud:
            before = cloud.volumes()
            result = self.attach(cloud, "--dry-run", "--create", "--size", "9", "--device", "/dev/sdh")
            self.assertEqual((result.status, result.out),
                             (0, "would create a volume and attach it as /dev/sdh\n"), result)
            result = self.attach(cloud, "--dry-run", "--volume-id", A)
            self.assertEqual((result.status, result.out), (0, "would attach %s as /dev/sdf\n" % A), result)
            found = self.attach(cloud, "--dry-run", "--json", "--volume-id", A).json
            self.assertEqual((found["device"], found["done"], found["dry-run"]), (None, "attached", True))
            self.assertEqual(set(self.actions(cloud)), {"DescribeVolumes"})
            self.assertEqual(cloud.volumes(), before)

    def test_many_volumes_come_page_by_page(self):
        options = []
        for number in range(230):
            options += volume(id="vol-%017x" % number, tag_role="x", zone="eu-central-1b")
        with lab.Cloud(options=options + volume(id=A, tag_role="x")) as cloud:
            found = self.attach(cloud, "--dry-run", "--json", "--find-tag", "role=x").json
            self.assertEqual((found["volume-id"], found["api-calls"]), (A, 3))

    def test_throttling_without_end_is_exit_75(self):
        with lab.Cloud(faults=["ec2-throttle:3600"]) as cloud:
            result = self.attach(cloud, "--deadline", "3", "--create", "--size", "1")
            self.assertEnds(result, 75, "RequestLimitExceeded", "at the deadline")
            self.assertLess(len(self.actions(cloud)), 30)

    def test_ec2_that_hangs_is_exit_75(self):
        with lab.Cloud(faults=["ec2-hang"]) as cloud:
            self.assertEnds(self.attach(cloud, "--deadline", "2", "--create", "--size", "1"), 75, "DescribeVolumes")

    def test_an_instance_that_is_not_running_yet_is_waited_for(self):
        with lab.Cloud(options=volume(id=A)) as cloud:
            cloud.control("node", {"state": "pending"})
            result = self.attach(cloud, "--deadline", "4", "--volume-id", A)
            self.assertEnds(result, 75, "IncorrectState", "is not 'running'", "at the deadline")
            self.assertGreater(self.actions(cloud).count("AttachVolume"), 1)
            cloud.control("node", {"state": "running"})
            self.attach(cloud, "--deadline", "1", "--volume-id", A)
            self.assertEqual(len(self.data_volumes(cloud)[A]["attachmentSet"]), 1)

    def test_without_permission_it_is_exit_1_with_ec2s_words(self):
        with lab.Cloud(faults=["ec2-denied@CreateVolume"]) as cloud:
            result = self.attach(cloud, "--create", "--size", "1")
            self.assertEnds(result, 1, "UnauthorizedOperation", "ec2:CreateVolume")

    def test_without_a_role_it_is_exit_1(self):
        with lab.Cloud(faults=["no-role"]) as cloud:
            self.assertEnds(self.attach(cloud, "--volume-id", A), 1, "no credentials", "this instance has no role")
            self.assertEqual(self.actions(cloud), [])
        with lab.Cloud(faults=["role-failed"]) as cloud:
            result = self.attach(cloud, "--volume-id", A)
            self.assertEnds(result, 1, "the role does not work", "AssumeRoleUnauthorizedAccess")

    def test_an_empty_document_of_the_role_is_asked_for_again(self):
        path = "meta-data/iam/security-credentials/nodevol-lab"
        with lab.Cloud(faults=["imds-empty@%s:2" % path]) as cloud:
            self.assertEnds(self.attach(cloud, "--volume-id", A), 4)
            self.assertEqual(len(cloud.calls("imds", "latest/" + path)), 3)

    def test_without_imds_or_with_imds_disabled_it_is_exit_75_or_1(self):
        with lab.Cloud(faults=["imds-disabled"]) as cloud:
            self.assertEnds(self.attach(cloud, "--volume-id", A), 1, "it is disabled for this instance")
            nowhere = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9"}
            result = self.attach(cloud, "--deadline", "1", "--volume-id", A, env=nowhere)
            self.assertEnds(result, 75, "http://127.0.0.1:9")

    def test_keys_of_the_environment_come_before_the_roles(self):
        with lab.Cloud(faults=["no-role"]) as cloud:
            self.assertEnds(self.attach(cloud, "--volume-id", A, env=cloud.keys), 4)
            wrong = dict(cloud.keys, AWS_SECRET_ACCESS_KEY="hush-hush-hush")
            result = self.attach(cloud, "--verbose", "--volume-id", A, env=wrong)
            self.assertEnds(result, 1, "SignatureDoesNotMatch")
            self.assertNotIn("hush", result.err + result.out)
            half = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE"}
            self.assertEnds(self.attach(cloud, "--volume-id", A, env=half), 2, "only one of them is set")

    def test_no_secret_is_printed(self):
        path = "latest/meta-data/iam/security-credentials/nodevol-lab"
        with lab.Cloud(faults=["ec2-5xx:2"]) as cloud:
            role = self.run_tool("imds-get", path, env=cloud.env)
            secrets = [role.json["SecretAccessKey"], role.json["Token"]]
            result = self.attach(cloud, "--verbose", "--deadline", "5", "--volume-id", A)
            self.assertEnds(result, 4)
            for secret in secrets:
                self.assertNotIn(secret, result.out + result.err)

    def test_the_regions_endpoint_is_asked_where_no_url_is_given(self):
        with lab.Cloud() as cloud:
            env = {"AWS_ENDPOINT_URL_EC2": None, "HTTPS_PROXY": "http://127.0.0.1:9"}
            result = self.attach(cloud, "--deadline", "1", "--volume-id", A, env=env)
            self.assertEnds(result, 75, "https://ec2.eu-central-1.amazonaws.com")
            env["AWS_REGION"] = "cn-north-1"
            result = self.attach(cloud, "--deadline", "1", "--volume-id", A, env=env)
            self.assertEnds(result, 75, "https://ec2.cn-north-1.amazonaws.com.cn")

    def test_credentials_are_never_sent_in_the_clear_to_another_machine(self):
        with lab.Cloud() as cloud:
            env = {"AWS_ENDPOINT_URL_EC2": "http://ec2.example.com"}
            self.assertEnds(self.attach(cloud, "--volume-id", A, env=env), 2, "in the clear")

    def test_a_certificate_is_believed_when_the_bundle_has_it_and_only_then(self):
        self.need_program("openssl")
        key = os.path.join(self.tmp, "key.pem")
        self.command("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", key + ".crt",
                     "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "1")
        with lab.Cloud() as cloud, TlsServer(key + ".crt", key) as server:
            env = {"AWS_ENDPOINT_URL_EC2": server.url}
            self.assertEnds(self.attach(cloud, "--deadline", "20", "--volume-id", A, env=env), 1, "certificate")
            self.assertEqual(server.asked, [])
            env["AWS_CA_BUNDLE"] = key + ".crt"
            self.assertEnds(self.attach(cloud, "--volume-id", A, env=env), 4, "InvalidVolume.NotFound")
            self.assertEqual(server.asked, ["localhost:%d" % server.port])
            env["AWS_CA_BUNDLE"] = key + ".nothing"
            self.assertEnds(self.attach(cloud, "--volume-id", A, env=env), 2)


if __name__ == "__main__":
    unittest.main()
