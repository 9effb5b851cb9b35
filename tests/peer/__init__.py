"""A Veeam server to test with.

The fixture `peer` (small seed, new for each test, started in some 50 ms) is found by every test below a
folder whose conftest says

    from tests.peer.fixtures import peer  # noqa: F401

and any other server is made by `with serve(seed, build=…, jobs=…, points=…) as peer:` from `veeamsec.peer`.
`peer.address`, `.port`, `.thumbprint` (SHA-256), `.thumbprint_sha1`, `.account.name`, `.account.password`
(who may govern), `.accounts[name]` (names in `veeamsec.peer.seeds.ground`), and `peer.control`:

    somebody_changes_password(hint)       somebody_switches_off(job)     somebody_edits(job, change)
    run_job(job) -> ids of its points     password_value(hint)           password_id(hint), job_id(name)
    fail_next(429, retry_after="0", method="GET", path="/jobs$", times=2).hits
    fail_next("cut" | "drop" | "slow" | "garbage", …)    before_next("PUT", "/jobs/", do)
    send_events_to(host, port, "Udp" | "Tcp" | "Tls", thumbprint)   lose_events()   mute(31700)
    flush_events()   expire_tokens()   move_clock(timedelta)   events   seen   at.options.vendor_form = True
"""
