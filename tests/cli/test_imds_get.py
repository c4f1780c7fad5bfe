# SPDX-License-Identifier: Apache-2.0
"""imds-get against the lab's metadata service, in good and in bad states, and without one."""
import json
import os
import socket
import threading
import unittest

import lab

NOWHERE = "http://127.0.0.1:9"      # nobody listens there


class Listener:
    """A place that takes connections and never answers. .connections: how many there were."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.socket.getsockname()[1]
        self.taken = []
        self.thread = threading.Thread(target=self._take, daemon=True)
        self.thread.start()
        return self

    def _take(self):
        while True:
            try:
                self.taken.append(self.socket.accept()[0])
            except OSError:
                return

    @property
    def connections(self):
        return len(self.taken)

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        self.thread.join()
        for connection in self.taken:
            connection.close()


class ImdsGet(lab.Case):
    def get(self, cloud, *args, env=None, **more):
        return self.run_tool("imds-get", *args, env=dict(cloud.env, **(env or {})), **more)

    def assertEnds(self, result, status, *words):
        self.assertEqual(result.status, status, result)
        for word in words:
            self.assertIn(word, result.err)

    def methods(self, cloud):
        return [call["params"]["method"] for call in cloud.calls("imds")]

    def test_it_prints_one_item_per_line_in_the_order_asked(self):
        with lab.Cloud() as cloud:
            result = self.get(cloud, "meta-data/placement/region", "meta-data/instance-id")
            self.assertEqual((result.status, result.out, result.err), (0, "eu-central-1\n%s\n" % cloud.instance_id, ""))

    def test_it_prints_json_with_the_paths_as_they_were_given(self):
        with lab.Cloud() as cloud:
            result = self.get(cloud, "--json", "/latest/meta-data/instance-id", "dynamic/instance-identity/document")
            self.assertEqual(result.status, 0, result)
            self.assertEqual(result.json["/latest/meta-data/instance-id"], cloud.instance_id)
            document = json.loads(result.json["dynamic/instance-identity/document"])
            self.assertEqual(document["instanceId"], cloud.instance_id)

    def test_user_data_that_is_not_text_comes_out_as_it_went_in(self):
        data = bytes(range(256)) * 64
        path = os.path.join(self.tmp, "user-data")
        with open(path, "wb") as file:
            file.write(data)
        with lab.Cloud(options=["--user-data", path]) as cloud, open(os.path.join(self.tmp, "out"), "w+b") as out:
            self.assertEqual(self.get(cloud, "user-data", stdout=out).status, 0)
            out.seek(0)
            self.assertEqual(out.read(), data)

    def test_there_is_one_token_and_one_request_for_each_item(self):
        with lab.Cloud() as cloud:
            result = self.get(cloud, "meta-data/mac", "meta-data/instance-id", "meta-data/mac")
            self.assertEqual(len(result.out.split()), 3, result)
            self.assertEqual(self.methods(cloud), ["PUT", "GET", "GET"])

    def test_an_item_that_is_not_there_is_exit_4_and_asked_for_once(self):
        with lab.Cloud() as cloud:
            path = "meta-data/tags/instance/Name"
            self.assertEnds(self.get(cloud, path), 4, "IMDS has no " + path)
            self.assertEqual(self.methods(cloud), ["PUT", "GET"])

    def test_what_is_not_a_path_is_exit_2_and_never_asked_for(self):
        with lab.Cloud() as cloud:
            for path in ("", "/", "latest/", "meta-data/../api", "a b", "a?b", "a#b", "a\r\nX-Evil: 1", "a" * 600):
                self.assertEnds(self.get(cloud, path), 2, "is not a path of IMDS")
            self.assertEnds(self.run_tool("imds-get"), 2, "operand is missing")
            self.assertEqual(cloud.calls("imds"), [])

    def test_a_token_that_expired_is_replaced_once(self):
        with lab.Cloud(faults=["imds-401"]) as cloud:
            self.assertEqual(self.get(cloud, "meta-data/mac").status, 0)
            self.assertEqual(self.methods(cloud), ["PUT", "GET", "PUT", "GET"])
        with lab.Cloud(faults=["imds-401:9"]) as cloud:
            self.assertEnds(self.get(cloud, "meta-data/mac"), 1, "(401)")
            self.assertEqual(self.methods(cloud), ["PUT", "GET", "PUT", "GET"])

    def test_503_is_tried_again_until_it_is_over(self):
        with lab.Cloud(faults=["imds-503:4"]) as cloud:
            self.assertEqual(self.get(cloud, "meta-data/instance-id").out, cloud.instance_id + "\n")
            self.assertEqual(self.methods(cloud), ["PUT"] * 5 + ["GET"])

    def test_503_without_end_is_exit_75_at_the_deadline(self):
        with lab.Cloud(faults=["imds-503"]) as cloud:
            result = self.get(cloud, "--deadline", "2", "meta-data/mac")
            self.assertEnds(result, 75, "at the deadline", "IMDS answered 503")

    def test_disabled_imds_is_exit_1_at_once(self):
        with lab.Cloud(faults=["imds-disabled"]) as cloud:
            self.assertEnds(self.get(cloud, "meta-data/mac"), 1, "it is disabled for this instance")
            self.assertEqual(self.methods(cloud), ["PUT"])

    def test_disabled_by_the_environment_is_exit_1_and_nothing_is_asked(self):
        with lab.Cloud() as cloud:
            result = self.get(cloud, "meta-data/mac", env={"AWS_EC2_METADATA_DISABLED": "true"})
            self.assertEnds(result, 1, "AWS_EC2_METADATA_DISABLED=true")
            self.assertEqual(cloud.calls("imds"), [])

    def test_no_imds_is_exit_75_at_the_deadline(self):
        result = self.run_tool("imds-get", "--deadline", "2", "meta-data/mac",
                               env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": NOWHERE})
        self.assertEnds(result, 75, "gave up after", "at the deadline", NOWHERE)

    def test_imds_that_hangs_is_exit_75_at_the_deadline_and_asked_more_than_once(self):
        with Listener() as listener:
            result = self.run_tool("imds-get", "--deadline", "4", "meta-data/mac",
                                   env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": listener.url})
            self.assertEnds(result, 75, "at the deadline", "PUT " + listener.url)
            self.assertGreater(listener.connections, 1)
            # Whoever runs in a container hears of the hop limit, and nobody else.
            with open("/proc/self/mounts") as mounts:
                root = [line.split()[2] for line in mounts if line.split()[1] == "/"][-1]
            (self.assertIn if root == "overlay" else self.assertNotIn)("hop limit", result.err)

    def test_a_redirect_is_not_followed(self):
        with lab.Cloud(faults=["imds-redirect"]) as cloud:
            self.assertEnds(self.get(cloud, "meta-data/mac"), 1, "IMDS answered 302")
            self.assertEqual(cloud.calls("ec2"), [])

    def test_no_proxy_of_the_environment_is_used(self):
        with lab.Cloud() as cloud, Listener() as proxy:
            names = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
            result = self.get(cloud, "meta-data/instance-id", env=dict.fromkeys(names, proxy.url))
            self.assertEqual(result.out, cloud.instance_id + "\n", result)
            self.assertEqual(proxy.connections, 0)

    def test_a_failure_is_an_object_with_json(self):
        with lab.Cloud() as cloud:
            result = self.get(cloud, "--json", "meta-data/instance-id", "meta-data/nothing")
            self.assertEqual(result.json, {"error": "IMDS has no meta-data/nothing here", "exit-status": 4})

    def test_a_wrong_environment_is_exit_2(self):
        for name, value in (("AWS_EC2_METADATA_DISABLED", "maybe"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "both"),
                            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ftp://127.0.0.1")):
            self.assertEnds(self.run_tool("imds-get", "meta-data/mac", env={name: value}), 2)


if __name__ == "__main__":
    unittest.main()
