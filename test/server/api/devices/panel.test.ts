// The panel of a device: that it has one, what it shows, and that its sleep does not fill the log.

import { expect } from "chai";
import { contentOf } from "../../../../server/content/content.js";
import { TestServer } from "../../test-server.js";

const MINUTE_MS = 60_000;
const PBM = Buffer.from("P4\n8 1\n\x0f", "latin1");
const ID = "cms-1";

describe("a device's panel", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open({ deviceRate: undefined });
    for (const device_id of [ID, "led-1"])
      await server.check({ device_id, device_type: device_id.slice(0, 3), boot_count: 1 });
  });
  afterEach(() => server.close());

  const picture = async (): Promise<number> => {
    const form = new FormData();
    form.set("name", "hall");
    form.set("file", new Blob([new Uint8Array(PBM)]), "picture.pbm");
    const encoded = new Response(form);
    const answer = await server.app.inject({
      ...{ method: "POST", url: "/api/content-admin/images" },
      headers: {
        authorization: `Bearer ${server.token}`,
        "content-type": encoded.headers.get("content-type") ?? "",
      },
      payload: Buffer.from(await encoded.arrayBuffer()),
    });
    return answer.json().id;
  };
  const assign = (image_id: number, name: string) =>
    server.admin("POST", "/api/content-admin/assignments", { image_id, target: { kind: "device", name } });
  const fetchPicture = (etag?: string) =>
    server.app.inject({ url: `/api/content/${ID}`, headers: etag ? { "if-none-match": etag } : {} });
  const shown = async () => (await server.admin("GET", `/api/devices/${ID}`)).json().panel;
  const later = (ms: number) => {
    server.nowMs += ms;
    return new Date(server.nowMs).toISOString();
  };

  it("is known by its requests, and shown with its picture and when it was fetched", async () => {
    expect(await shown()).to.equal(null);
    const askedAt = later(1000);
    expect((await fetchPicture()).statusCode).to.equal(404);
    expect(await shown()).to.deep.equal({ asked_at: askedAt, etag: null, fetched_at: null, image: null });
    await assign(await picture(), ID);
    const fetchedAt = later(MINUTE_MS);
    const { etag } = (await fetchPicture()).headers;
    expect(etag).to.equal(contentOf(PBM).etag);
    later(MINUTE_MS);
    expect((await fetchPicture(`${etag}`)).statusCode).to.equal(304);
    expect(await shown()).to.deep.include({ asked_at: askedAt, etag, fetched_at: fetchedAt });
    expect((await shown()).image.name).to.equal("hall");
  });

  it("is not there where no picture was asked for: none can be assigned to such a device, once it had its time", async () => {
    const image = await picture();
    expect((await assign(image, "led-1")).statusCode, "it may not have asked yet").to.equal(201);
    later(10 * MINUTE_MS);
    const refused = await assign(image, "led-1");
    expect(refused.statusCode).to.equal(409);
    expect(refused.json().message).to.equal(
      "device led-1 has never asked for a picture, so it has no panel: one asks after each start",
    );
    await fetchPicture();
    expect((await assign(image, ID)).statusCode).to.equal(201);
    expect((await assign(image, "cms-to-come")).statusCode).to.equal(201);
  });

  it("that sleeps is no news each time it wakes", async () => {
    const wake = (boot_count: number, reset_reason: string, current_version = "1.0.0") =>
      server.check({ device_id: ID, device_type: "cms", boot_count, reset_reason, current_version });
    for (let boot = 2; boot < 9; boot++) await wake(boot, "deep-sleep");
    await wake(9, "deep-sleep", "1.1.0");
    await wake(10, "power-on", "1.1.0");
    const { events } = (await server.admin("GET", `/api/devices/${ID}/timeline?limit=50`)).json();
    expect(events.map(({ kind }: { kind: string }) => kind)).to.deep.equal([
      "device.booted",
      "device.version",
      "device.registered",
    ]);
  });
});
