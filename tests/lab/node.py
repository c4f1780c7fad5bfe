# SPDX-License-Identifier: Apache-2.0
"""The instance that the cloud runs, the zones around it, and the instance types that the cloud knows."""
import time

REGION = "eu-central-1"
ACCOUNT = "123456789012"
ZONES = {"eu-central-1a": "euc1-az2", "eu-central-1b": "euc1-az3", "eu-central-1c": "euc1-az1"}
STAMP = "%Y-%m-%dT%H:%M:%SZ"

# name: (vCPUs, EBS-optimized support, baseline (Mbps, IOPS), maximum (Mbps, IOPS), attachments, their limit's kind)
# Figures: DescribeInstanceTypes, as kept in moto 5.2.1 (moto/ec2/resources/instance_types.json.gz).
TYPES = {
    "t3.medium": (2, "default", (347, 2000), (2085, 11800), 27, "shared"),
    "m5.large": (2, "default", (650, 3600), (4750, 18750), 27, "shared"),
    "m5.24xlarge": (96, "default", (19000, 80000), (19000, 80000), 27, "shared"),
    "m6i.xlarge": (4, "default", (1250, 6000), (10000, 40000), 27, "shared"),
    "c6i.4xlarge": (16, "default", (5000, 20000), (10000, 40000), 27, "shared"),
}


class Node:
    """One running instance. @user_data_file: read anew at every request, so that it may be changed; None for none."""
    region, account, role = REGION, ACCOUNT, "nodevol-lab"
    image_id, address, mac = "ami-0123456789abcdef0", "10.0.12.34", "02:00:00:12:34:56"
    hostname = "ip-10-0-12-34.%s.compute.internal" % REGION

    def __init__(self, instance_id="i-0a1b2c3d4e5f60718", instance_type="m6i.xlarge", zone="eu-central-1a",
                 user_data_file=None, tags=None, tags_in_metadata=False):
        self.instance_id, self.instance_type, self.zone = instance_id, instance_type, zone
        self.user_data_file, self.tags, self.tags_in_metadata = user_data_file, tags or {}, tags_in_metadata
        self.zone_id, self.state = ZONES[zone], "running"
        self.launched = time.time()
        self.root_device = "/dev/xvda"
        self.launch_mapping = {"ami": self.root_device, "root": self.root_device}

    def user_data(self):
        if self.user_data_file is None:
            return None
        with open(self.user_data_file, "rb") as file:
            return file.read()

    def identity_document(self):
        return {"accountId": self.account, "architecture": "x86_64", "availabilityZone": self.zone,
                "billingProducts": None, "devpayProductCodes": None, "marketplaceProductCodes": None,
                "imageId": self.image_id, "instanceId": self.instance_id, "instanceType": self.instance_type,
                "kernelId": None, "pendingTime": time.strftime(STAMP, time.gmtime(self.launched)),
                "privateIp": self.address, "ramdiskId": None, "region": self.region, "version": "2017-09-30"}

    def describe(self, mapping):
        """As DescribeInstances gives it. @mapping: items of blockDeviceMapping."""
        return {"instanceId": self.instance_id, "instanceType": self.instance_type, "imageId": self.image_id,
                "instanceState": {"code": 16 if self.state == "running" else 80, "name": self.state},
                "placement": {"availabilityZone": self.zone, "availabilityZoneId": self.zone_id, "tenancy": "default"},
                "privateDnsName": self.hostname, "privateIpAddress": self.address,
                "launchTime": time.strftime(STAMP, time.gmtime(self.launched)), "ebsOptimized": False,
                "hypervisor": "xen", "architecture": "x86_64", "rootDeviceName": self.root_device,
                "rootDeviceType": "ebs", "blockDeviceMapping": mapping, "virtualizationType": "hvm",
                "tagSet": [{"key": key, "value": value} for key, value in self.tags.items()]}


def describe_type(name):
    """As DescribeInstanceTypes gives it."""
    vcpus, support, baseline, maximum, attachments, kind = TYPES[name]
    return {"instanceType": name, "hypervisor": "nitro", "bareMetal": False, "currentGeneration": True,
            "vCpuInfo": {"defaultVCpus": vcpus},
            "ebsInfo": {"ebsOptimizedSupport": support, "encryptionSupport": "supported", "nvmeSupport": "required",
                        "maximumEbsAttachments": attachments, "attachmentLimitType": kind, "maximumEbsCards": 1,
                        "ebsOptimizedInfo": {
                            "baselineBandwidthInMbps": baseline[0], "baselineThroughputInMBps": baseline[0] / 8,
                            "baselineIops": baseline[1], "maximumBandwidthInMbps": maximum[0],
                            "maximumThroughputInMBps": maximum[0] / 8, "maximumIops": maximum[1]}},
            "instanceStorageSupported": False}
