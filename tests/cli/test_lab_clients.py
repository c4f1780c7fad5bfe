# SPDX-License-Identifier: Apache-2.0
"""The lab is EC2 as far as it goes: the AWS CLI and botocore, which we did not write, talk to it."""
import os

import lab


class AwsCli(lab.Case):
    def aws(self, cloud, *words, statuses=(0,)):
        program = self.need_program("aws", optional=True)
        env = dict(cloud.keys, HOME=self.tmp, AWS_PAGER="", AWS_MAX_ATTEMPTS="1", AWS_CONFIG_FILE="/dev/null")
        env["PATH"], env["PYENV_ROOT"] = os.environ["PATH"], os.environ.get("PYENV_ROOT")
        argv = [program, "ec2", "--endpoint-url", cloud.endpoints["ec2"], "--output", "json"] + list(words)
        result = lab.run(argv, lab.environment(env), folder=self.tmp)
        self.assertIn(result.status, statuses, result)
        return result.json if result.out.strip() else result.err

    def test_it_creates_finds_attaches_detaches_and_deletes_a_volume(self):
        with lab.Cloud() as cloud:
            made = self.aws(cloud, "create-volume", "--availability-zone", cloud.endpoints["zone"], "--size", "20",
                            "--volume-type", "gp3", "--iops", "6000", "--throughput", "500", "--tag-specifications",
                            "ResourceType=volume,Tags=[{Key=role,Value=a b+c/ü&<>}]")
            volume = made["VolumeId"]
            self.assertEqual((made["Iops"], made["Throughput"], made["Encrypted"], made["State"]),
                             (6000, 500, True, "available"))
            found = self.aws(cloud, "describe-volumes", "--filters", "Name=tag:role,Values=a b+c/ü&<>")["Volumes"]
            self.assertEqual([row["VolumeId"] for row in found], [volume])
            self.assertEqual(found[0]["Tags"], [{"Key": "role", "Value": "a b+c/ü&<>"}])
            attached = self.aws(cloud, "attach-volume", "--volume-id", volume, "--instance-id", cloud.instance_id,
                                "--device", "/dev/xvdb")
            self.assertEqual((attached["State"], attached["DeleteOnTermination"]), ("attached", False))
            self.assertEqual(self.aws(cloud, "detach-volume", "--volume-id", volume)["VolumeId"], volume)
            self.aws(cloud, "delete-volume", "--volume-id", volume)
            said = self.aws(cloud, "describe-volumes", "--volume-ids", volume, statuses=(254, 255))
            self.assertIn("(InvalidVolume.NotFound)", said)


class Botocore(lab.Case):
    def client(self, cloud, **keys):
        self.need_module("botocore", optional=True)
        import botocore.config
        import botocore.session
        session = botocore.session.Session()
        return session.create_client("ec2", region_name=cloud.endpoints["region"], endpoint_url=cloud.endpoints["ec2"],
                                     aws_access_key_id=keys.get("key", cloud.keys["AWS_ACCESS_KEY_ID"]),
                                     aws_secret_access_key=keys.get("secret", cloud.keys["AWS_SECRET_ACCESS_KEY"]),
                                     config=botocore.config.Config(retries={"total_max_attempts": 1}, proxies={}))

    def test_it_parses_every_answer(self):
        with lab.Cloud(volumes=["/dev/xvdb:20"]) as cloud:
            ec2 = self.client(cloud)
            pages = list(ec2.get_paginator("describe_volumes").paginate(PaginationConfig={"PageSize": 5}))
            volumes = [row for page in pages for row in page["Volumes"]]
            self.assertEqual(sorted(row["Attachments"][0]["Device"] for row in volumes), ["/dev/xvda", "/dev/xvdb"])
            self.assertEqual(volumes[0]["CreateTime"].utcoffset().total_seconds(), 0)
            instance = ec2.describe_instances(InstanceIds=[cloud.instance_id])["Reservations"][0]["Instances"][0]
            self.assertEqual(instance["State"], {"Code": 16, "Name": "running"})
            self.assertEqual(sorted(row["Ebs"]["VolumeId"] for row in instance["BlockDeviceMappings"]),
                             sorted(row["VolumeId"] for row in volumes))
            kind = ec2.describe_instance_types(InstanceTypes=["m5.large"])["InstanceTypes"][0]["EbsInfo"]
            self.assertEqual(kind["EbsOptimizedInfo"]["BaselineThroughputInMBps"], 81.25)
            attribute = ec2.describe_instance_attribute(InstanceId=cloud.instance_id, Attribute="ebsOptimized")
            self.assertEqual(attribute["EbsOptimized"], {"Value": False})
            ec2.create_tags(Resources=[volumes[1]["VolumeId"]], Tags=[{"Key": "a", "Value": ""}])
            found = ec2.describe_volumes(Filters=[{"Name": "tag-key", "Values": ["a"]}])["Volumes"]
            self.assertEqual(found[0]["Tags"], [{"Key": "a", "Value": ""}])
            ec2.modify_instance_attribute(InstanceId=cloud.instance_id, BlockDeviceMappings=[
                {"DeviceName": "/dev/xvdb", "Ebs": {"DeleteOnTermination": False}}])

    def test_every_parameter_that_the_lab_knows_is_in_its_model(self):
        with lab.Cloud() as cloud:
            model = self.client(cloud).meta.service_model
            import ec2
            import volume_actions
            import node
            actions = ec2.EC2(node.Node(), volume_actions.VolumeActions(None, None, volume_actions.Pace("instant")), {},
                              None, None).actions
            for action, (_, allowed) in actions.items():
                known = set(self.names(model.operation_model(action).input_shape, ""))
                self.assertLessEqual(allowed - {"DryRun", "VolumeInitializationRate"}, known, action)

    def names(self, shape, prefix):
        """Every parameter's name on the wire, N for a list's number."""
        for member, inner in shape.members.items():
            name = inner.serialization.get("queryName")
            if not name:
                name = inner.serialization.get("name", member)
                name = name[0].upper() + name[1:]
            if inner.type_name == "list":
                name, inner = name + ".N", inner.member
            if inner.type_name == "structure":
                yield from self.names(inner, prefix + name + ".")
            else:
                yield prefix + name

    def test_errors_reach_it_with_their_code(self):
        with lab.Cloud() as cloud:
            ec2 = self.client(cloud)
            from botocore.exceptions import ClientError
            with self.assertRaises(ClientError) as caught:
                ec2.attach_volume(VolumeId="vol-0cccccccccccccccc", InstanceId=cloud.instance_id, Device="/dev/sdf")
            self.assertEqual(caught.exception.response["Error"]["Code"], "InvalidVolume.NotFound")
            with self.assertRaises(ClientError) as caught:
                self.client(cloud, secret="wrong").describe_volumes()
            self.assertEqual(caught.exception.response["Error"]["Code"], "SignatureDoesNotMatch")
