/**
 * Tells systemd, where it started this process as a service of `Type=notify`, that the node serves (sd_notify(3)). By
 * systemd-notify(1), for no runtime has datagrams over unix sockets: hence `NotifyAccess=all` in the unit.
 */
import { execFile } from 'node:child_process';

/** Long enough for a busy machine; a manager that never hears it ends the start by its own limit. */
const TIMEOUT_MS = 10_000;

/** @returns what went wrong, if anything did; does nothing where nobody waits for it */
export function tellReady(status: string, environment: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  if (!environment['NOTIFY_SOCKET']) return Promise.resolve(undefined);
  const words = ['READY=1', `STATUS=${status.replace(/\s+/g, ' ')}`];
  return new Promise((resolve) => {
    execFile('systemd-notify', words, { env: environment, timeout: TIMEOUT_MS }, (error, _out, err) =>
      resolve(error ? `systemd-notify: ${err.trim() || error.message}` : undefined),
    );
  });
}
