/**
 * What the server forbids this node's user (docs/nats.md has the permissions): said by subject, for the operator, who can
 * grant it. A subscription that was refused is gone; a message that was refused is lost, and its asker hears nothing.
 */
import { errors } from '@nats-io/transport-node';
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../telemetry/log.ts';

const SAY_AGAIN_MS = 60_000;
/** More kinds than a node's subjects have: only lest memory grow. */
const MAX_KINDS = 1000;

export type Violations = {
  /** Logs it when it is one, at most once a minute for each subject. @returns whether it is one */
  take(error: Error): boolean;
};

export function createViolations(log: Log, clock: Clock): Violations {
  const saidAt = new Map<string, number>();
  return {
    take(error) {
      if (!(error instanceof errors.PermissionViolationError)) return false;
      const kind = `${error.operation} ${withoutIds(error.subject)}`;
      const now = clock.monotonic();
      if (now - (saidAt.get(kind) ?? Number.NEGATIVE_INFINITY) < SAY_AGAIN_MS) return true;
      if (saidAt.size >= MAX_KINDS) saidAt.clear();
      saidAt.set(kind, now);
      log.error('nats: the user lacks a permission', { operation: error.operation, subject: error.subject });
      return true;
    },
  };
}

/** In words for an operator, when this error is one or was caused by one. */
export function violationIn(error: unknown): string | undefined {
  if (error instanceof errors.PermissionViolationError)
    return `the user may not ${verb(error)} "${error.subject}"; docs/nats.md has the permissions that are needed`;
  return error instanceof Error && error.cause !== undefined ? violationIn(error.cause) : undefined;
}

const verb = ({ operation }: { readonly operation: string }): string =>
  operation === 'publish' ? 'publish to' : 'subscribe to';

/** Inboxes and consumers have names that are used once (nuid: 22 of base 62); a retry is no news. */
const withoutIds = (subject: string): string => subject.replace(/[0-9A-Za-z]{22}/g, '*');
