# SPDX-License-Identifier: Apache-2.0
"""Formats of ext4 that are cut short: see cutformat.py."""
import cutformat


class Ext4(cutformat.Points, cutformat.Cut):
    filesystem = "ext4"
