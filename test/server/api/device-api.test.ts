import { expect } from "chai";
import { type MadeRelease, makeRelease, START_MS, TestServer } from "../test-server.js";

describe("the device API", () => {
  let server: TestServer;
  let made: MadeRelease;
  before(async () => {
    made = await makeRelease("1.1.0");
  });
  beforeEach(async () => {
    server = await TestServer.open();
    expect((await server.upload(made)).statusCode).to.equal(201);
  });
  afterEach(() => server.close());

  const onTrial = () => ({
    current_version: "1.1.0",
    image_sha256: made.imageSha256,
    slot: "ota_0",
    slot_state: "pending_verify" as const,
    boot_count: 2,
    reset_reason: "software",
  });
  const validated = () => ({ ...onTrial(), slot_state: "valid" as const });

  describe("check", () => {
    it("names the offered firmware in a header, which a device reads before the body", async () => {
      expect((await server.check(validated())).headers).not.to.have.property("skyslot-offer");
      const answer = await server.check();
      expect(answer.headers["skyslot-offer"]).to.equal(`1 ${answer.json().time}`);
    });

    it("offers the release with everything that a device needs", async () => {
      const answer = await server.check();
      expect(answer.statusCode).to.equal(200);
      expect(answer.headers["content-length"]).to.equal(`${answer.rawPayload.length}`);
      const body = answer.json();
      expect(body).to.deep.include({
        update_available: true,
        time: START_MS / 1000,
        firmware_id: 1,
        version: "1.1.0",
        build_number: 0,
        file_size: made.image.length,
        download_url: "/api/ota/download/1",
        release: made.release,
      });
      expect(body.file_hash).to.match(/^[0-9a-f]{64}$/);
      expect(await server.lastAttempt()).to.include({
        status: "pending",
        from_version: "1.0.0",
        device_id: "base-010203",
      });
    });

    it("answers only yes or no to a device that is up to date", async () => {
      expect((await server.check(validated())).json()).to.deep.equal({
        update_available: false,
        time: START_MS / 1000,
      });
    });

    it("sends devices a check interval if the operator has set one", async () => {
      await server.close();
      server = await TestServer.open({ pollSeconds: 900 });
      expect((await server.check()).json())
        .to.include({ poll_seconds: 900 })
        .and.not.property("poll_is_for_all");
      await server.close();
      server = await TestServer.open({ pollSeconds: 900, pollIsForAll: true });
      expect((await server.check()).json()).to.include({ poll_seconds: 900, poll_is_for_all: true });
    });

    it("accepts the minimum that an older client sends", async () => {
      const payload = {
        device_id: "old",
        device_type: "base",
        current_version: "1.0.0",
        current_build: 0,
        extra: { a: 1 },
      };
      const answer = await server.app.inject({ method: "POST", url: "/api/ota/check", payload });
      expect(answer.json()).to.include({ update_available: true });
    });

    it("keeps the last sensor readings, and drops those no longer sent", async () => {
      const view = async () => (await server.admin("GET", "/api/devices/base-010203")).json();
      await server.check({ temperature_c: -4.5, humidity_percent: 61.2, battery_percent: 0 });
      const readings = { temperature_c: -4.5, humidity_percent: 61.2, battery_percent: 0 };
      expect(await view()).to.include(readings);
      await server.app.inject({
        method: "POST",
        url: "/api/devices/base-010203/heartbeat",
        payload: { free_heap: 7 },
      });
      expect(await view()).to.include({ ...readings, free_heap: 7 });
      await server.check({ temperature_c: 20 });
      expect(await view()).to.include({ temperature_c: 20, humidity_percent: null, battery_percent: null });
      expect((await server.check({ humidity_percent: 101 })).statusCode).to.equal(400);
    });

    it("registers a device once, and recognizes it again", async () => {
      await server.check();
      server.nowMs += 120_000;
      await server.check({ rssi: -70 });
      const { devices } = (await server.admin("GET", "/api/devices")).json();
      expect(devices).to.have.length(1);
      expect(devices[0]).to.include({
        online: true,
        rssi: -70,
        last_seen: new Date(server.nowMs).toISOString(),
      });
      expect(devices[0].first_seen).to.equal(new Date(START_MS).toISOString());
      server.nowMs += 6 * 60_000;
      expect((await server.admin("GET", "/api/devices")).json().devices[0].online).to.equal(false);
    });

    it("opens one attempt for many checks", async () => {
      for (let count = 0; count < 3; count++) await server.check();
      expect((await server.admin("GET", "/api/ota/admin/logs")).json().total).to.equal(1);
    });

    it("offers nothing while an image is on trial, and leaves its attempt open", async () => {
      await server.check();
      expect((await server.check(onTrial())).json().update_available).to.equal(false);
      expect(await server.lastAttempt()).to.include({ status: "installing", step: "trial" });
    });

    it("closes the attempt of firmware that is withdrawn", async () => {
      await server.check();
      await server.admin("DELETE", "/api/ota/admin/firmware/1");
      expect((await server.check()).json().update_available).to.equal(false);
      expect(await server.lastAttempt()).to.include({ status: "failed", error_code: "WITHDRAWN" });
    });

    it("closes the attempt of firmware that is superseded", async () => {
      await server.check();
      await server.upload(await makeRelease("1.2.0"));
      expect((await server.check()).json().version).to.equal("1.2.0");
      const { logs } = (await server.admin("GET", "/api/ota/admin/logs")).json();
      expect(logs.map(({ status }: { status: string }) => status)).to.deep.equal(["pending", "failed"]);
      expect(logs[1].error_code).to.equal("SUPERSEDED");
    });

    it("treats the running image as evidence of success", async () => {
      await server.check();
      await server.check(validated());
      expect(await server.lastAttempt()).to.include({
        status: "success",
        bytes_downloaded: made.image.length,
      });
    });

    it("treats another image after the restart as evidence of a roll back, and gives up after three", async () => {
      for (const count of [1, 2, 3]) {
        expect((await server.check()).json().update_available, `try ${count}`).to.equal(true);
        await server.status({ status: "installing", step: "armed" });
        await server.check({ reset_reason: "panic", boot_count: count * 2 });
        const { logs } = (await server.admin("GET", "/api/ota/admin/logs?status=failed")).json();
        expect(logs).to.have.length(count);
        expect(logs[0].error_code).to.equal("ROLLED_BACK");
        // The device ignores the image for ten minutes: an offer before that would be an attempt that never begins.
        expect((await server.check()).json().update_available, `after try ${count}`).to.equal(false);
        server.nowMs += 10 * 60_000;
      }
      expect((await server.check()).json().update_available).to.equal(false);
      const { plan } = (await server.admin("GET", "/api/devices/base-010203")).json();
      expect(plan).to.have.length(1);
      expect(plan[0]).to.include({
        firmware_id: 1,
        rollout_id: null,
        version: "1.1.0",
        verdict: "ROLLED_BACK",
      });
    });

    it("refuses malformed bodies, with a sentence that names the field", async () => {
      const wrong = [
        [{ device_id: "" }, "device_id"],
        [{ device_id: "a b" }, "device_id"],
        [{ device_id: "x".repeat(65) }, "device_id"],
        [{ current_build: -1 }, "current_build"],
        [{ current_build: "1" }, "current_build"],
        [{ current_build: 1.5 }, "current_build"],
        [{ slot_state: "great" }, "slot_state"],
        [{ image_sha256: "zz" }, "image_sha256"],
        [{ current_version: "1.0.0'; drop table devices" }, "current_version"],
      ] as const;
      for (const [field, name] of wrong) {
        const answer = await server.check(field as object);
        expect(answer.statusCode, JSON.stringify(field)).to.equal(400);
        expect(answer.json().error).to.equal("INVALID_REQUEST");
        expect(answer.json().message).to.contain(name);
      }
    });

    it("refuses bodies that are too long, broken or of another type, always with a length", async () => {
      const post = (payload: string, type = "application/json") =>
        server.app.inject({
          method: "POST",
          url: "/api/ota/check",
          headers: { "content-type": type },
          payload,
        });
      const cases = [
        [await post(`{"device_id":"${"x".repeat(5000)}"}`), 413, "BODY_TOO_LARGE"],
        [await post("{"), 400, "BODY_MALFORMED"],
        [await post(""), 400, "INVALID_REQUEST"],
        [await post("[]"), 400, "INVALID_REQUEST"],
        [await post("null"), 400, "INVALID_REQUEST"],
        [await post("a=b", "application/x-www-form-urlencoded"), 415, "MEDIA_TYPE_UNKNOWN"],
        [await post("{}", "text/plain"), 415, "MEDIA_TYPE_UNKNOWN"],
      ] as const;
      for (const [answer, status, code] of cases) {
        expect(answer.statusCode).to.equal(status);
        expect(answer.json().error).to.equal(code);
        expect(answer.headers["content-length"]).to.equal(`${answer.rawPayload.length}`);
      }
    });

    it("limits the rate of one device", async () => {
      await server.close();
      server = await TestServer.open({ deviceRate: { burst: 2, perSecond: 1 } });
      await server.check();
      await server.check();
      const answer = await server.check();
      expect(answer.statusCode).to.equal(429);
      expect(answer.headers["retry-after"]).to.equal("1");
      expect((await server.check({ device_id: "another" })).statusCode).to.equal(200);
    });

    it("limits it over a socket too, where the first takes the full path and the others are no-ops", async () => {
      await server.close();
      server = await TestServer.open({ deviceRate: { burst: 4, perSecond: 1 } });
      await server.listen();
      const statuses: number[] = [];
      for (let turn = 0; turn < 5; turn++) statuses.push((await server.check()).statusCode);
      expect(statuses).to.deep.equal([200, 200, 200, 200, 429]);
      const answer = await server.check();
      expect(answer.headers["retry-after"]).to.equal("1");
      expect(answer.json()).to.include({ error: "TOO_MANY_REQUESTS" });
      server.nowMs += 1000;
      expect((await server.check()).statusCode).to.equal(200);
    });

    it("does not let others use up a device's requests", async () => {
      await server.close();
      server = await TestServer.open({ deviceRate: { burst: 2, perSecond: 1 } });
      const ask = async (remoteAddress: string): Promise<number> => {
        const payload = {
          device_id: "base-1",
          device_type: "base",
          current_version: "1.0.0",
          current_build: 0,
        };
        const options = { method: "POST", url: "/api/ota/check", remoteAddress, payload } as const;
        return (await server.app.inject(options)).statusCode;
      };
      for (let i = 0; i < 20; i++) await ask(`2001:db8::${i}`);
      expect(await ask("2001:db8::99"), "the same network").to.equal(429);
      expect(await ask("192.168.1.7")).to.equal(200);
    });

    it("accepts no more devices than configured", async () => {
      await server.close();
      server = await TestServer.open({ maxDeviceCount: 1 });
      await server.check();
      expect((await server.check({ device_id: "another" })).json().error).to.equal("DEVICE_LIMIT");
      expect((await server.check()).statusCode).to.equal(200);
    });
  });

  describe("status", () => {
    it("follows an attempt from offer to validation", async () => {
      await server.check();
      const steps = [
        [{ status: "downloading", step: "downloading", bytes_downloaded: 4096 }, "downloading"],
        [{ status: "installing", step: "armed", bytes_downloaded: made.image.length }, "installing"],
        [
          {
            status: "installing",
            step: "trial",
            image_sha256: made.imageSha256,
            slot_state: "pending_verify",
          },
          "installing",
        ],
        [
          { status: "success", step: "validated", image_sha256: made.imageSha256, slot_state: "valid" },
          "success",
        ],
      ] as const;
      for (const [body, status] of steps) {
        expect((await server.status(body)).json()).to.deep.equal({ update_id: 1, status });
      }
      expect(await server.lastAttempt()).to.include({
        status: "success",
        step: "validated",
        error_code: null,
      });
      const { devices } = (await server.admin("GET", "/api/devices")).json();
      expect(devices[0]).to.include({ current_version: "1.1.0", slot_state: "valid" });
    });

    it("never believes a success that the image does not prove", async () => {
      await server.check();
      const claims = [
        {},
        { image_sha256: made.imageSha256 },
        { image_sha256: made.imageSha256, slot_state: "pending_verify" as const },
        { image_sha256: made.imageSha256, slot_state: "undefined" as const },
        { image_sha256: "b".repeat(64), slot_state: "valid" as const },
      ];
      for (const claim of claims) {
        const answer = await server.status({ status: "success", ...claim });
        expect(answer.statusCode, JSON.stringify(claim)).to.equal(409);
        expect(answer.json().error).to.equal("NOT_PROVEN");
        expect((await server.lastAttempt()).status).to.equal("pending");
      }
    });

    it("is idempotent: a report whose answer was lost may be repeated", async () => {
      await server.check();
      const failure = { status: "failed", error_code: "CHUNK_MISMATCH", error_message: "chunk 3" } as const;
      await server.status(failure);
      await server.status(failure);
      expect((await server.admin("GET", "/api/ota/admin/logs")).json().total).to.equal(1);
      await server.check();
      const success = { status: "success", image_sha256: made.imageSha256, slot_state: "valid" } as const;
      await server.status(success);
      expect((await server.status(success)).json().status).to.equal("success");
      const { logs } = (await server.admin("GET", "/api/ota/admin/logs")).json();
      expect(logs.map(({ status }: { status: string }) => status)).to.deep.equal(["success", "failed"]);
    });

    it("adds the device's reason to a roll back that the server has detected by itself", async () => {
      await server.check();
      await server.status({ status: "installing", step: "armed" });
      await server.check({ reset_reason: "panic" });
      await server.status({
        status: "failed",
        error_code: "ROLLED_BACK",
        error_message: "trial did not reach the server",
      });
      const { logs } = (await server.admin("GET", "/api/ota/admin/logs?status=failed")).json();
      expect(logs).to.have.length(1);
      expect(logs[0].error_message).to.equal("trial did not reach the server");
    });

    it("corrects a wrong conclusion when evidence arrives", async () => {
      await server.check();
      await server.status({ status: "failed", error_code: "ROLLED_BACK" });
      await server.status({ status: "success", image_sha256: made.imageSha256, slot_state: "valid" });
      expect(await server.lastAttempt()).to.include({ status: "success", error_code: null });
    });

    it("refuses a failure or progress after the success", async () => {
      await server.check();
      await server.check(validated());
      for (const status of ["failed", "downloading"] as const) {
        expect((await server.status({ status })).json().error).to.equal("ATTEMPT_CLOSED");
      }
    });

    it("opens an attempt with the next check after a failure, never by a report that comes late", async () => {
      await server.check();
      await server.status({ status: "failed", error_code: "SERVER_STALLED" });
      for (const status of ["downloading", "installing"] as const) {
        const late = await server.status({ status, bytes_downloaded: 10 });
        expect(late.statusCode).to.equal(409);
        expect(late.json()).to.include({ error: "ATTEMPT_CLOSED" });
      }
      const second = await server.status({
        status: "failed",
        error_code: "CHUNK_MISMATCH",
        error_message: "chunk 3",
      });
      expect(second.json(), "an attempt fails once").to.include({ update_id: 1, status: "failed" });
      expect(await server.lastAttempt()).to.include({
        id: 1,
        status: "failed",
        error_code: "SERVER_STALLED",
      });
      await server.check();
      await server.status({ status: "downloading", bytes_downloaded: 10 });
      expect(await server.lastAttempt()).to.include({ id: 2, status: "downloading", bytes_downloaded: 10 });
    });

    it("does not let a late report end the attempt that is open now", async () => {
      await server.check();
      const newer = await makeRelease("1.2.0");
      await server.upload(newer);
      await server.check();
      for (const status of ["downloading", "failed"] as const)
        await server.status({ status, firmware_id: 1 });
      expect(await server.lastAttempt()).to.include({ id: 2, firmware_id: 2, status: "pending" });
    });

    it("takes no report about firmware that the device was never offered", async () => {
      await server.check({ device_id: "other-1" });
      await server.check({ current_version: "9.0.0" });
      const reports = [
        { status: "downloading" },
        { status: "installing" },
        { status: "failed", error_code: "ROLLED_BACK" },
        { status: "success", image_sha256: made.imageSha256, slot_state: "valid" },
      ] as const;
      for (const report of reports) {
        const answer = await server.status(report);
        expect(answer.statusCode, report.status).to.equal(409);
        expect(answer.json(), report.status).to.include({
          error: "ATTEMPT_UNKNOWN",
          message: "base-010203 was never offered base 1.1.0",
        });
      }
      const { logs } = (await server.admin("GET", "/api/ota/admin/logs")).json();
      expect(logs.map(({ device_id }: { device_id: string }) => device_id)).to.deep.equal(["other-1"]);
      const device = (await server.admin("GET", "/api/devices/base-010203")).json();
      expect(device, "nor is its image believed").to.include({ current_version: "9.0.0" });
    });

    it("answers 404 for devices that never checked and firmware that does not exist", async () => {
      expect((await server.status({ status: "downloading" })).json().error).to.equal("DEVICE_UNKNOWN");
      await server.check();
      expect((await server.status({ status: "downloading", firmware_id: 99 })).json().error).to.equal(
        "FIRMWARE_UNKNOWN",
      );
    });

    it("logs steps, not percentages", async () => {
      await server.check();
      for (const bytes_downloaded of [1, 2, 3, 4]) {
        await server.status({ status: "downloading", step: "downloading", bytes_downloaded });
      }
      const { events } = (await server.admin("GET", "/api/events?kind=update.downloading")).json();
      expect(events).to.have.length(1);
    });
  });

  describe("download", () => {
    const get = (headers: Record<string, string> = {}, method: "GET" | "HEAD" = "GET") =>
      server.app.inject({ method, url: "/api/ota/download/1", headers });

    it("sends the whole file", async () => {
      const answer = await get();
      expect(answer.statusCode).to.equal(200);
      expect(answer.rawPayload.equals(made.image)).to.equal(true);
      expect(answer.headers).to.include({
        "content-length": `${made.image.length}`,
        "accept-ranges": "bytes",
      });
      expect(answer.headers["transfer-encoding"]).to.equal(undefined);
    });

    it("sends parts that add up to the whole", async () => {
      const parts: Buffer[] = [];
      for (let start = 0; start < made.image.length; start += 10_007) {
        const answer = await get({ range: `bytes=${start}-${start + 10_006}` });
        const end = Math.min(start + 10_006, made.image.length - 1);
        expect(answer.statusCode).to.equal(206);
        expect(answer.headers["content-range"]).to.equal(`bytes ${start}-${end}/${made.image.length}`);
        expect(answer.headers["content-length"]).to.equal(`${end - start + 1}`);
        parts.push(answer.rawPayload);
      }
      expect(Buffer.concat(parts).equals(made.image)).to.equal(true);
    });

    it("says what is wrong with a range past the end", async () => {
      const answer = await get({ range: `bytes=${made.image.length}-` });
      expect(answer.statusCode).to.equal(416);
      expect(answer.headers["content-range"]).to.equal(`bytes */${made.image.length}`);
      expect(answer.json().error).to.equal("RANGE_NOT_SATISFIABLE");
    });

    it("sends a part only of the file that the client began with", async () => {
      const etag = `${(await get({}, "HEAD")).headers.etag}`;
      expect((await get({ range: "bytes=5-", "if-range": etag })).statusCode).to.equal(206);
      expect((await get({ range: "bytes=5-", "if-range": '"another"' })).statusCode).to.equal(200);
    });

    it("answers HEAD with the headers of GET and no body", async () => {
      const answer = await get({}, "HEAD");
      expect(answer.headers["content-length"]).to.equal(`${made.image.length}`);
      expect(answer.rawPayload).to.have.length(0);
    });

    it("stops when the firmware is deactivated", async () => {
      await server.admin("DELETE", "/api/ota/admin/firmware/1");
      expect((await get()).json().error).to.equal("FIRMWARE_INACTIVE");
      expect((await server.app.inject("/api/ota/download/77")).json().error).to.equal("FIRMWARE_UNKNOWN");
      expect((await server.app.inject("/api/ota/download/x")).json().error).to.equal("INVALID_REQUEST");
    });
  });
});
