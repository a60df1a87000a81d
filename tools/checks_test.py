#!/usr/bin/env python3
"""Each check finds what it is there to find: a check that cannot fail is no check."""

import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import check_layers  # noqa: E402
import check_tree  # noqa: E402
import stages  # noqa: E402


def tree(files):
    root = pathlib.Path(tempfile.mkdtemp())
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


class Layers(unittest.TestCase):
    files = {"tools/layers.txt": "base:\nnet: base\n", "src/rooms.cmake": "sluice_room(base LIBRARIES x)\nsluice_room(net USES base)\n",
             "src/base/a.h": "", "src/net/b.h": '#include "base/a.h"\n'}

    def test_a_good_tree_passes(self):
        self.assertEqual(check_layers.check(tree(self.files)), [])

    def test_an_include_against_the_direction_is_found(self):
        problems = check_layers.check(tree({**self.files, "src/base/a.h": '#include "net/b.h"\n'}))
        self.assertEqual(len(problems), 1)
        self.assertIn("src/base/a.h", problems[0])

    def test_uses_that_differ_are_found(self):
        problems = check_layers.check(tree({**self.files, "src/rooms.cmake": "sluice_room(base USES net)\nsluice_room(net USES base)\n"}))
        self.assertIn("base USES net", problems[0])


class Tree(unittest.TestCase):
    def test_banned_calls_are_found_outside_their_room(self):
        line = "auto t = std::chrono::steady_clock::now();\n"
        self.assertEqual(len(list(check_tree.call_problems("src/route/a.cc", "route", line))), 1)
        self.assertEqual(list(check_tree.call_problems("src/base/a.cc", "base", line)), [])
        self.assertEqual(list(check_tree.call_problems("src/route/a.cc", "route", "// " + line)), [])

    def test_heavy_includes_are_found_in_headers_only(self):
        line = "#include <openssl/ssl.h>\n"
        self.assertEqual(len(list(check_tree.call_problems("src/net/a.h", "net", line))), 1)
        self.assertEqual(list(check_tree.call_problems("src/net/a.cc", "net", line)), [])

    def test_paths_of_one_machine_and_bare_todos_are_found(self):
        self.assertTrue(check_tree.PATHS.search("cp /home/someone/x ."))
        self.assertFalse(check_tree.PATHS.search("https://example.com/home/page"))
        self.assertTrue(check_tree.TODO.search("// TODO later"))
        self.assertFalse(check_tree.TODO.search("// TODO(#12) later"))

    def test_a_long_function_is_found(self):
        root = tree({"src/a/b.cc": "int f() {\n" + "  x();\n" * 200 + "}\n"})
        self.assertEqual(len(list(check_tree.lengths(root))), 1)

    def test_a_room_without_readme_is_found(self):
        self.assertEqual(len(list(check_tree.readmes(tree({"src/a/b.cc": ""})))), 1)


class Counts(unittest.TestCase):
    def test_failures_and_skips_are_counted_apart(self):
        root = tree({"r.xml": '<testsuites><testsuite><testcase name="a"/><testcase name="b"><failure/></testcase>'
                              '<testcase name="c"><skipped message="a_test.cc:4&#10;no docker"/></testcase></testsuite></testsuites>'})
        passed, failures, not_run = stages.counts_of(str(root / "*.xml"))
        self.assertEqual((passed, failures, not_run), (1, [".b"], [".c: no docker"]))


if __name__ == "__main__":
    unittest.main()
