# SPDX-License-Identifier: Apache-2.0
"""What we send to EC2 is what EC2 takes, says who did not hear of us: botocore's service model, and moto's server."""
import gzip
import json
import os
import re
import unittest
from urllib import request

import lab

A = "vol-0aaaaaaaaaaaaaaaa"


class Model:
    """The EC2 model of the botocore that is installed."""

    def __init__(self, botocore):
        path = os.path.join(os.path.dirname(botocore.__file__), "data", "ec2", "2016-11-15", "service-2.json")
        opener = open if os.path.exists(path) else gzip.open
        with opener(path if opener is open else path + ".gz", "rb") as file:
            self.data = json.load(file)
        self.version = self.data["metadata"]["apiVersion"]

    def shape(self, name):
        return self.data["shapes"][name]

    @staticmethod
    def wire_name(name, member):
        """How protocol "ec2" spells a member of a request."""
        if "queryName" in member:
            return member["queryName"]
        found = member.get("locationName", name)
        return found[0].upper() + found[1:]

    def _walk(self, shape_name, prefix):
        """(name on the wire, with N for a number; shape of the value), for every leaf."""
        shape = self.shape(shape_name)
        if shape["type"] == "structure":
            for name, member in shape["members"].items():
                below = prefix + "." if prefix else ""
                yield from self._walk(member["shape"], below + self.wire_name(name, member))
        elif shape["type"] == "list":
            yield from self._walk(shape["member"]["shape"], prefix + ".N")
        else:
            yield prefix, shape

    def request(self, action):
        return dict(self._walk(self.data["operations"][action]["input"]["shape"], ""))

    def required(self, action):
        shape = self.shape(self.data["operations"][action]["input"]["shape"])
        return {self.wire_name(name, shape["members"][name]) for name in shape.get("required", [])}

    def filters(self, action):
        shape = self.shape(self.data["operations"][action]["input"]["shape"])
        return re.findall(r"<code>([^<]+)</code>", shape["members"]["Filters"]["documentation"])

    def answer_names(self, action):
        """Every element name that an answer may have."""
        names, todo, seen = {"item", "requestId"}, [self.data["operations"][action]["output"]["shape"]], set()
        while todo:
            shape = self.shape(todo.pop())
            for name, member in shape.get("members", {}).items():
                names.add(member.get("locationName", name))
            for member in list(shape.get("members", {}).values()) + ([shape["member"]] if "member" in shape else []):
                if member["shape"] not in seen:
                    seen.add(member["shape"])
                    todo.append(member["shape"])
        return names


class ByTheModel(lab.Case):
    def setUp(self):
        super().setUp()
        self.model = Model(self.need_module("botocore", optional=True))

    def calls(self):
        """Requests of every kind that ebs-attach makes."""
        snapshot = "snap-0123456789abcdef0"
        options = ["--volume", "size=1,tag.role=x,id=" + A, "--snapshot", snapshot + ":1"]
        rows = (["--create", "--size", "20", "--iops", "6000", "--throughput", "500", "--encrypted", "--kms-key",
                 "alias/x", "--set-tag", "a=b", "--set-tag", "c="],
                ["--create", "--snapshot", snapshot, "--initialization-rate", "300", "--device", "/dev/sdm", "--keep"],
                ["--create", "--snapshot-tag", "a=b", "--snapshot-tag", "c=d", "--device", "/dev/sdn"],
                ["--volume-id", A], ["--find-tag", "role=x", "--find-tag", "role=*"])
        is_root = os.geteuid() == 0
        with lab.Cloud(devices=is_root, options=options) as cloud:
            for words in rows:
                self.run_tool("ebs-attach", *words, "--deadline", "20" if is_root else "1", root=cloud.root,
                              env=cloud.env, preload=[cloud.preload])
            return cloud.calls("ec2")

    def check_value(self, name, value, shape):
        if shape["type"] == "integer":
            self.assertRegex(value, r"^[0-9]+$", name)
            self.assertGreaterEqual(int(value), shape.get("min", 0), name)
        elif shape["type"] == "boolean":
            self.assertIn(value, ("true", "false"), name)
        elif "enum" in shape:
            self.assertIn(value, shape["enum"], name)

    def check_call(self, call):
        action, params = call["action"], dict(call["params"])
        self.assertEqual(params.pop("Version"), self.model.version)
        self.assertIn(action, self.model.data["operations"])
        known, filters = self.model.request(action), None
        for name, value in params.items():
            generic = re.sub(r"\.[0-9]+(?=\.|$)", ".N", name)
            self.assertIn(generic, known, "%s does not know %s" % (action, name))
            self.check_value(name, value, known[generic])
            if generic == "Filter.N.Name":
                filters = filters or self.model.filters(action)
                self.assertIn(re.sub("^tag:.*", "tag:&lt;key&gt;", value), filters + ["tag:&lt;key&gt;"])
        given = {name.split(".")[0] for name in params}
        self.assertLessEqual(self.model.required(action), given)
        for prefix in {re.sub(r"\.[0-9]+(\..*)?$", "", name) for name in params if re.search(r"\.[0-9]+", name)}:
            below = [name[len(prefix) + 1:] for name in params if name.startswith(prefix + ".")]
            numbers = sorted({int(name.split(".")[0]) for name in below})
            self.assertEqual(numbers, list(range(1, len(numbers) + 1)), "%s of %s counts from 1" % (prefix, action))

    def test_every_name_and_value_that_we_send_is_in_the_model(self):
        calls = self.calls()
        expected = {"DescribeVolumes", "CreateVolume", "AttachVolume", "DescribeSnapshots"}
        if os.geteuid() == 0:
            expected.add("ModifyInstanceAttribute")     # comes after the disk
        self.assertEqual({call["action"] for call in calls}, expected)
        for call in calls:
            with self.subTest(call["action"]):
                self.check_call(call)

    def test_a_wrong_name_would_be_seen(self):
        call = {"action": "AttachVolume", "params": {"Version": self.model.version, "Device": "/dev/sdf",
                                                    "InstanceId": "i-1", "VolumeId": A}}
        self.check_call(call)
        for name in ("DeviceName", "VolumeId.1", "volumeId"):
            with self.assertRaises(AssertionError):
                self.check_call({"action": "AttachVolume", "params": dict(call["params"], **{name: "x"})})

    def test_every_element_that_we_read_is_in_the_model(self):
        with open(os.path.join(lab.PROJECT, "bootstrap", "aws", "ec2-volume.c")) as file:
            source = file.read()
        read = set(re.findall(r'(?:COPY|flag|xml_text|xml_child)\((?:[^"();]|\([^()]*\))*"([A-Za-z]+)"', source))
        self.assertIn("volumeId", read)
        self.assertIn("sourceVolumeId", read)
        known = set()
        for action in ("DescribeVolumes", "CreateVolume", "AttachVolume", "DescribeSnapshots"):
            known |= self.model.answer_names(action)
        self.assertLessEqual(read, known)


class AgainstMoto(lab.Case):
    """moto's server in EC2's place; who we are comes from the lab's IMDS. There is no disk: the wait for it ends."""

    def setUp(self):
        super().setUp()
        self.need_module("moto", optional=True)
        self.need_module("boto3", optional=True)
        try:
            from moto.server import ThreadedMotoServer
        except ImportError as error:
            self.skipTest(lab.UNOBTAINABLE + "moto's server: %s" % error)
        import boto3
        import logging
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        server.start()
        self.addCleanup(server.stop)
        self.url = "http://%s:%d" % server.get_host_and_port()
        # Its state is the process's, not the server's.
        opener = request.build_opener(request.ProxyHandler({}))
        opener.open(request.Request(self.url + "/moto-api/reset", method="POST")).close()
        self.ec2 = boto3.client("ec2", region_name="eu-central-1", endpoint_url=self.url, aws_access_key_id="test",
                                aws_secret_access_key="test")
        made = self.ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1,
                                      Placement={"AvailabilityZone": "eu-central-1a"})
        self.instance_id = made["Instances"][0]["InstanceId"]
        self.cloud = lab.Cloud()
        self.cloud.start()
        self.addCleanup(self.cloud.stop)
        self.cloud.control("node", {"instance_id": self.instance_id})

    def attach(self, *words, deadline=2):
        env = dict(self.cloud.env, AWS_ENDPOINT_URL_EC2=self.url)
        return self.run_tool("ebs-attach", "--deadline", deadline, *words, root=self.cloud.root, env=env)

    def ours(self):
        found = self.ec2.describe_volumes(Filters=[{"Name": "tag-key", "Values": ["nodevol/volume"]}])
        return found["Volumes"]

    def test_a_volume_is_created_once_and_attached(self):
        words = ("--create", "--size", "20", "--iops", "6000", "--throughput", "500", "--encrypted", "--set-tag",
                 "team=a b")
        for _ in range(2):
            result = self.attach(*words)
            self.assertEqual(result.status, 75, result)     # no disk
            [volume] = self.ours()
            names = ("Size", "VolumeType", "Iops", "Throughput", "Encrypted")
            self.assertEqual([volume[name] for name in names], [20, "gp3", 6000, 500, True])
            self.assertIn({"Key": "team", "Value": "a b"}, volume["Tags"])
            [attachment] = volume["Attachments"]
            self.assertEqual((attachment["InstanceId"], attachment["Device"]), (self.instance_id, "/dev/sdf"))

    def test_volumes_are_found_by_id_and_by_tags(self):
        made = self.ec2.create_volume(AvailabilityZone="eu-central-1a", Size=1, TagSpecifications=[
            {"ResourceType": "volume", "Tags": [{"Key": "role", "Value": "x"}]}])["VolumeId"]
        for words in (["--volume-id", made], ["--find-tag", "role=x"]):
            found = self.attach("--dry-run", "--json", *words, deadline=20).json
            self.assertEqual((found["volume-id"], found["done"]), (made, "attached"))
        self.assertEqual(self.attach("--volume-id", made).status, 75)
        found = self.attach("--dry-run", "--json", "--find-tag", "role=x", deadline=20).json
        self.assertEqual((found["done"], found["name"]), ("nothing", "/dev/sdf"))

    def test_a_volume_is_made_from_the_newest_snapshot_with_the_tags(self):
        source = self.ec2.create_volume(AvailabilityZone="eu-central-1a", Size=3)["VolumeId"]
        tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "cache", "Value": "images"}]}]
        self.ec2.create_snapshot(VolumeId=source)
        snapshot = self.ec2.create_snapshot(VolumeId=source, TagSpecifications=tags)["SnapshotId"]
        self.assertEqual(self.attach("--create", "--snapshot-tag", "cache=images").status, 75)
        [volume] = self.ours()
        self.assertEqual((volume["SnapshotId"], volume["Size"]), (snapshot, 3))
        missing = self.attach("--create", "--snapshot-tag", "cache=none", "--device", "/dev/sdo", deadline=20)
        self.assertEqual(missing.status, 4, missing)

    def test_errors_are_understood(self):
        self.assertEqual(self.attach("--volume-id", A, deadline=20).status, 4)
        elsewhere = self.ec2.create_volume(AvailabilityZone="eu-central-1b", Size=1)["VolumeId"]
        result = self.attach("--volume-id", elsewhere, deadline=20)
        self.assertEqual(result.status, 1, result)
        self.assertIn("eu-central-1b", result.err)
        result = self.attach("--create", "--snapshot", "snap-0123456789abcdef0", deadline=20)
        self.assertEqual(result.status, 4, result)


if __name__ == "__main__":
    unittest.main()
