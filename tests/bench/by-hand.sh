#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# by-hand.sh ROOT ZONE INSTANCE MOUNT-POINT FILESYSTEM: what people write into user-data: create a volume with the AWS CLI,
# wait, attach, wait for the device, mkfs, mount. Only as careful as such scripts are.
set -eu
root=$1 zone=$2 instance=$3 target=$4 filesystem=$5

volume=$(aws ec2 create-volume --availability-zone "$zone" --size 20 --volume-type gp3 --iops 6000 --throughput 500 \
	--query VolumeId --output text)
aws ec2 wait volume-available --volume-ids "$volume"
aws ec2 attach-volume --volume-id "$volume" --instance-id "$instance" --device /dev/sdf >/dev/null
aws ec2 wait volume-in-use --volume-ids "$volume"
serial=$(echo "$volume" | tr -d -)
device=
while [ -z "$device" ]; do
	for found in "$root"/sys/class/nvme/*/serial; do
		if grep -q "$serial" "$found"; then
			name=$(basename "$(dirname "$found")")
			device=$root/dev/${name}n1
		fi
	done
done
if [ "$filesystem" = xfs ]; then
	mkfs.xfs -q -K -f "$device"
else
	mkfs.ext4 -q -F "$device"
fi
mkdir -p "$target"
mount "$device" "$target"
