# SPDX-License-Identifier: Apache-2.0
"""Formats of xfs that are cut short: see cutformat.py."""
import cutformat


class Xfs(cutformat.Points, cutformat.Cut):
    filesystem = "xfs"
