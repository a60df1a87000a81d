"""The container images: complete, small, without root, the same bytes each time."""

import json
import subprocess
import sys
import tarfile

import pytest
from harness import IRIS, ROOT, SLUICE


MODEL = "localhost:5000/iris:v1=%s" % (IRIS / "models/v1")


def make(path):
    made = subprocess.run([sys.executable, str(ROOT / "tools/make_image"), str(SLUICE), str(path), "localhost/sluice:test", MODEL],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    assert made.returncode == 0, made.stdout
    return path


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return make(tmp_path_factory.mktemp("image") / "sluice.tar")


def parts(image):
    """[(manifest, configuration)] of the images in the archive."""
    with tarfile.open(image) as tar:
        return [(manifest, json.load(tar.extractfile(manifest["Config"]))) for manifest in json.load(tar.extractfile("manifest.json"))]


def test_is_small_and_runs_as_nobody_in_particular(image):
    assert image.stat().st_size < 60_000_000
    starts = {manifest["RepoTags"][0]: config["config"]["Entrypoint"] for manifest, config in parts(image)}
    assert starts == {"localhost/sluice:test": ["/usr/bin/sluice"], "localhost/sluice-executor:test": ["/usr/bin/sluice", "executor"],
                      "localhost:5000/iris:v1": ["/usr/bin/sluice", "model", "--address", "0.0.0.0", "--model-uri", "/mnt/models"]}
    assert {config["config"]["User"] for _, config in parts(image)} == {"8888:8888"}
    assert len({manifest["Layers"][0] for manifest, _ in parts(image)}) == 1


def test_a_model_is_a_layer_of_its_own(image):
    manifest = next(manifest for manifest, _ in parts(image) if manifest["RepoTags"] == ["localhost:5000/iris:v1"])
    assert len(manifest["Layers"]) == 2
    with tarfile.open(image) as tar, tarfile.open(fileobj=tar.extractfile(manifest["Layers"][1])) as layer:
        assert layer.extractfile("mnt/models/model.json").read() == (IRIS / "models/v1/model.json").read_bytes()


def test_loads_every_library_from_within(image, tmp_path):
    """The image's own loader, told to look only there, starts the program."""
    manifest, _ = parts(image)[0]
    with tarfile.open(image) as tar, tarfile.open(fileobj=tar.extractfile(manifest["Layers"][0])) as layer:
        layer.extractall(tmp_path, filter="data") if sys.version_info >= (3, 11, 4) else layer.extractall(tmp_path)
    loader = next(tmp_path.glob("lib*/**/ld-linux-*"))
    folders = ":".join(str(path) for path in (tmp_path / "lib").iterdir())
    start = [str(loader), "--inhibit-cache", "--library-path", folders]
    listed = subprocess.run([*start, "--list", str(tmp_path / "usr/bin/sluice")], stdout=subprocess.PIPE, text=True, check=True).stdout
    outside = [line for line in listed.splitlines() if "=>" in line and str(tmp_path) not in line]
    assert not outside
    said = subprocess.run([*start, str(tmp_path / "usr/bin/sluice"), "version"], stdout=subprocess.PIPE, text=True, check=True).stdout
    assert "sluice" in said
    assert (tmp_path / "etc/ssl/certs/ca-certificates.crt").stat().st_size > 100_000
    assert list(tmp_path.glob("usr/share/doc/libssl*/copyright"))


def test_same_bytes_each_time(image, tmp_path):
    assert make(tmp_path / "again.tar").read_bytes() == image.read_bytes()
