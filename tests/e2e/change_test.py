"""Changes while requests run: files renamed in, broken files, ends."""

import os
import statistics
import threading
import time

from harness import GATEWAY, Load, call, service_entry, to, virtual_service, wait_for


def token_route(token):
    return GATEWAY + virtual_service("t", '  - {directResponse: {status: 200, body: {string: "%s"}}}' % token)


def test_changes_under_load_fail_no_request(gateway, backend, folder):
    a, b = backend("a"), backend("b")
    ends = GATEWAY + service_entry("a", a.port) + service_entry("b", b.port)
    folder.write("ends.yaml", ends)
    folder.write("route.yaml", virtual_service("r", to("a")))
    sluice = gateway(folder)
    with Load(sluice.http, "/", threads=3) as load:
        load.wait(50)
        for turn in range(60):
            folder.write("route.yaml", virtual_service("r", to("ab"[turn % 2])))
            load.wait(5)
    assert load.failures == []
    assert load.reconnects == 0, "a change of routes closes no connection"
    assert load.total() > 300
    assert min(a.count(), b.count()) > 50


def test_a_change_is_in_force_soon_and_never_undone(gateway, folder):
    """From the rename to the first answer of the new table, on one keep-alive connection. The median is printed; the issue's bar is 20 ms on a
    quiet machine, the assertion allows for a busy one."""
    folder.write("route.yaml", token_route("0"))
    sluice = gateway(folder)
    took = []
    for turn in range(1, 41):
        folder.write("route.yaml", token_route(turn))
        begin = time.monotonic()
        while call(sluice.http, "/").body != b"%d" % turn:
            assert time.monotonic() - begin < 5, "change %d is not in force after 5 s" % turn
        took.append((time.monotonic() - begin) * 1000)
        for _ in range(3):
            assert call(sluice.http, "/").body == b"%d" % turn, "a worker still answers from the old table"
    print("\nrename to in force: median %.1f ms, largest %.1f ms" % (statistics.median(took), max(took)))
    assert statistics.median(took) < 100


def test_a_bad_file_keeps_the_last_good_state(gateway, backend, folder):
    a, b = backend("a"), backend("b")
    folder.write("ends.yaml", GATEWAY + service_entry("a", a.port) + service_entry("b", b.port))
    folder.write("route.yaml", virtual_service("r", to("a")))
    folder.write("other.yaml", virtual_service("o", to("a"), hosts="o.test"))
    sluice = gateway(folder)
    assert sluice.call("/").json() == {"backend": "a"}
    folder.write("route.yaml", "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: r\n")
    wait_for(lambda: "route.yaml" in sluice.log(), 5, lambda: "the broken file is reported: " + sluice.log())
    assert sluice.call("/").json() == {"backend": "a"}
    folder.write("other.yaml", virtual_service("o", to("b"), hosts="o.test"))
    wait_for(lambda: sluice.call("/", host="o.test").json() == {"backend": "b"}, 5, "a good file beside it is taken")
    assert sluice.call("/").json() == {"backend": "a"}
    folder.write("route.yaml", virtual_service("r", to("b")))
    wait_for(lambda: sluice.call("/").json() == {"backend": "b"}, 5, "the mended file is taken")


def test_a_removed_file_takes_its_routes_along(gateway, backend, folder):
    a = backend("a")
    folder.write("ends.yaml", GATEWAY + service_entry("a", a.port))
    folder.write("route.yaml", virtual_service("r", to("a")))
    sluice = gateway(folder)
    assert sluice.call("/").status == 200
    folder.remove("route.yaml")
    wait_for(lambda: sluice.call("/").status == 404, 5, "the route is gone")


def test_sigterm_lets_requests_end(gateway, backend, folder):
    b = backend("b", delay=1.0)
    folder.write("all.yaml", GATEWAY + service_entry("b", b.port) + virtual_service("b", to("b")))
    sluice = gateway(folder)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(sluice.call("/", timeout=20).status)) for _ in range(5)]
    for thread in threads:
        thread.start()
    wait_for(lambda: b.count() == 5, 10, "all five are under way")
    begin = time.monotonic()
    status = sluice.terminate()
    for thread in threads:
        thread.join(20)
    assert answers == [200] * 5
    assert status == 0, sluice.log()
    assert time.monotonic() - begin < 20
    assert not os.path.exists("/proc/%d" % sluice.process.pid)
