"""Which device a setting means. GPUs are pretended, so that these laws hold without one."""

import subprocess
import sys
from contextlib import ExitStack
from types import SimpleNamespace

import cv2
import pytest
from threadpoolctl import threadpool_info

from unflicker.compute import devices
from unflicker.compute.threads import limited_to
from unflicker.errors import DeviceMemoryError, MissingError, UsageError


class PretendedTensor:
    def add(self, _other):
        return self

    def cpu(self):
        return self


def pretend(monkeypatch: pytest.MonkeyPatch, *, gpus: int, fault: str = "") -> None:
    """A driver, and a torch that sees some GPUs, which work or fail."""

    def ones(_count, *, device):
        if fault:
            raise RuntimeError(f"{fault} on {device}")
        return PretendedTensor()

    cuda = SimpleNamespace(device_count=lambda: gpus)
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda, ones=ones))
    monkeypatch.setattr(devices, "find_spec", lambda _name: object())
    monkeypatch.setattr(devices, "_SIGNS_OF_A_GPU", ("/",))


def test_auto_takes_a_gpu_that_works(monkeypatch):
    pretend(monkeypatch, gpus=2)
    assert devices.chosen("auto") == "cuda:0"


def test_auto_takes_the_processor_where_no_gpu_works(monkeypatch):
    pretend(monkeypatch, gpus=1, fault="no kernel image")
    assert devices.chosen("auto") == "cpu"
    pretend(monkeypatch, gpus=0)
    assert devices.chosen("auto") == "cpu"


def test_auto_takes_the_processor_where_torch_is_missing_or_broken(monkeypatch):
    pretend(monkeypatch, gpus=1)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert devices.chosen("auto") == "cpu"
    monkeypatch.setattr(devices, "find_spec", lambda _name: None)
    assert devices.chosen("auto") == "cpu"


def test_a_gpu_is_taken_by_number(monkeypatch):
    pretend(monkeypatch, gpus=2)
    assert [devices.chosen(name) for name in ("cuda", "cuda:0", "cuda:1")] == [
        "cuda:0",
        "cuda:0",
        "cuda:1",
    ]


def test_a_gpu_that_is_not_there_is_named_beside_those_that_are(monkeypatch):
    pretend(monkeypatch, gpus=2)
    with pytest.raises(MissingError, match=r"no GPU cuda:2; there is cuda:0, cuda:1"):
        devices.chosen("cuda:2")


def test_a_gpu_that_fails_is_reported_when_asked_for(monkeypatch):
    pretend(monkeypatch, gpus=1, fault="the driver is too old")
    with pytest.raises(MissingError, match="the driver is too old on cuda:0"):
        devices.chosen("cuda")


def test_a_gpu_that_is_full_is_said_to_be_so(monkeypatch):
    pretend(monkeypatch, gpus=1, fault="CUDA out of memory")
    with pytest.raises(DeviceMemoryError, match="cuda:0 is full"):
        devices.chosen("cuda")
    assert devices.chosen("auto") == "cpu"


def test_a_gpu_without_torch_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingError, match=r"unflicker\[neural\]"):
        devices.chosen("cuda")


@pytest.mark.parametrize(
    ("word", "hint"),
    [("gpu", "cuda"), ("CUDA", "cuda"), ("cdua", "cuda"), ("cuda:x", "cuda"), ("atuo", "auto")],
)
def test_an_unknown_device_is_refused_with_a_suggestion(word, hint):
    with pytest.raises(UsageError, match=f"did you mean {hint}?"):
        devices.chosen(word)


@pytest.mark.parametrize("word", ["", "quantum", "cuda:-1", "cuda:1:2", "cuda:"])
def test_nonsense_is_refused_with_what_would_do(word):
    with pytest.raises(UsageError, match="auto, cpu, cuda or cuda:n"):
        devices.chosen(word)


@pytest.mark.parametrize("name", ["cpu", "auto"])
def test_torch_is_not_loaded_where_there_is_no_gpu(name):
    code = (
        "import sys; from unflicker.compute import devices;"
        "devices._SIGNS_OF_A_GPU = (); devices.shutil.which = lambda _: None;"
        f"print(devices.chosen({name!r}), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "cpu False\n"


def test_torch_takes_no_more_threads_than_there_may_be():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with limited_to(1), devices.torch_sharing():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_libraries_stay_limited_while_any_thread_works():
    """Runs of several threads overlap; the first that ends must not unleash the libraries."""
    before = cv2.getNumThreads()
    with ExitStack() as first, ExitStack() as second:
        first.enter_context(devices.limited_threads(0))
        second.enter_context(devices.limited_threads(0))
        first.close()
        assert cv2.getNumThreads() == 1
        blas = [each for each in threadpool_info() if each["user_api"] == "blas"]
        assert {each["num_threads"] for each in blas} == {1}
    assert cv2.getNumThreads() == before
