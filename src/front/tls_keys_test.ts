import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ManualClock } from "../base/clock.ts";
import { createLog } from "../base/log.ts";
import { BrokerError } from "../model/errors.ts";
import type { TlsIdentity } from "../ports/tls.ts";
import { runtime } from "../runtime/mod.ts";
import { openTlsKeys, type TlsKeysParts } from "./tls_keys.ts";

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 5, 1);

/** Keys in a folder of their own, for the length of `story`. */
async function inFolder(story: (folder: Folder) => Promise<void>): Promise<void> {
  const path = await mkdtemp(join(tmpdir(), "curlew-tls-"));
  try {
    await story(new Folder(path));
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

class Folder {
  readonly path: string;
  readonly clock = new ManualClock(nowMs);
  readonly logged: string[] = [];

  constructor(path: string) {
    this.path = path;
  }

  file(name: string): string {
    return join(this.path, name);
  }

  parts(settings: Partial<TlsKeysParts["settings"]> = {}): TlsKeysParts {
    return {
      settings: {
        data: this.path,
        host: "127.0.0.1",
        advertise: { host: "broker.example", port: 9876 },
        tlsMode: "permissive",
        tlsHttp: false,
        tlsCertFile: null,
        tlsKeyFile: null,
        ...settings,
      },
      files: runtime.files,
      tls: runtime.tls,
      clock: this.clock,
      log: createLog({ wallMs: () => 0, sink: ({ event }) => this.logged.push(event) }),
    };
  }

  async open(settings: Partial<TlsKeysParts["settings"]> = {}) {
    const keys = await openTlsKeys(this.parts(settings));
    assert.ok(keys !== null, "TLS is spoken");
    return keys;
  }

  /** Writes a new pair, or a half of it. */
  async write({ certificatePem, keyPem }: Partial<TlsIdentity>): Promise<void> {
    const { files } = runtime;
    if (certificatePem !== undefined) await files.writeSmall(this.file("cert"), certificatePem);
    if (keyPem !== undefined) await files.writeSmall(this.file("key"), keyPem);
  }

  named(): Partial<TlsKeysParts["settings"]> {
    return { tlsCertFile: this.file("cert"), tlsKeyFile: this.file("key") };
  }
}

function pair(): TlsIdentity {
  const [fromMs, untilMs] = [nowMs, nowMs + dayMs];
  return runtime.tls.selfSign({ names: ["localhost"], addresses: [], fromMs, untilMs });
}

test("openTlsKeys() signs once, keeps the key for its owner, and finds it again", async () => {
  await inFolder(async (folder) => {
    const first = await folder.open();
    const second = await folder.open();

    assert.equal(first.context.fingerprint, second.context.fingerprint);
    const { mode } = await stat(folder.file("tls-self-signed.pem"));
    assert.equal(mode & 0o777, 0o600);
  });
});

test("openTlsKeys() goes on with a key it cannot keep, and says so", async () => {
  await inFolder(async (folder) => {
    const keys = await folder.open({ data: folder.file("absent") });

    assert.ok(keys.context.untilMs > nowMs);
    assert.deepEqual(folder.logged, ["TLS certificate not kept"]);
  });
});

test("openTlsKeys() needs no keys where nothing speaks TLS", async () => {
  await inFolder(async (folder) => {
    assert.equal(await openTlsKeys(folder.parts({ tlsMode: "disabled" })), null);
    assert.deepEqual(await runtime.files.list(folder.path), []);
    assert.ok(await folder.open({ tlsMode: "disabled", tlsHttp: true }));
  });
});

test("TlsKeys signs anew before the certificate ends, while running and at start", async () => {
  await inFolder(async (folder) => {
    const keys = await folder.open();
    const { fingerprint, untilMs } = keys.context;
    folder.clock.jump(untilMs - nowMs - 31 * dayMs);
    await keys.look();
    assert.equal(keys.context.fingerprint, fingerprint);
    folder.clock.jump(dayMs);
    await keys.look();

    assert.notEqual(keys.context.fingerprint, fingerprint);
    assert.deepEqual(folder.logged, ["TLS certificate replaced"]);
    assert.equal((await folder.open()).context.fingerprint, keys.context.fingerprint);
  });
});

test("TlsKeys uses new files when both fit, and says once why a half is passed over", async () => {
  await inFolder(async (folder) => {
    const [old, next] = [pair(), pair()];
    await folder.write(old);
    const keys = await folder.open(folder.named());
    const { context } = keys;
    await keys.look();
    assert.equal(keys.context, context);

    await folder.write({ certificatePem: next.certificatePem });
    await keys.look();
    await keys.look();
    assert.equal(keys.context, context);
    assert.deepEqual(folder.logged, ["TLS certificate kept"]);

    await folder.write({ keyPem: next.keyPem });
    await keys.look();
    assert.equal(keys.context.identity.keyPem, next.keyPem);
    assert.deepEqual(folder.logged, ["TLS certificate kept", "TLS certificate replaced"]);
  });
});

test("openTlsKeys() refuses files that are absent, alone or unfit, and says which", async () => {
  await inFolder(async (folder) => {
    const refused = async (says: RegExp, settings = folder.named()) =>
      await assert.rejects(openTlsKeys(folder.parts(settings)), (thrown: Error) => {
        assert.ok(thrown instanceof BrokerError);
        assert.equal(thrown.code, "invalid_argument");
        assert.match(thrown.message, says);
        return true;
      });
    await refused(/there is no file .*cert/);
    await folder.write(pair());
    await refused(/both, or not at all/, { tlsKeyFile: folder.file("key") });
    await folder.write({ keyPem: pair().keyPem });
    await refused(/the key does not belong/);
  });
});
