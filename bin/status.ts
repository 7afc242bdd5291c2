/** What `homing status` shows: each registered node asked for its own part, put together by the one that was asked. */
import { type Bus, BusError, type Service } from '../cluster/bus/bus.ts';
import type { Members } from '../cluster/directory/directory.ts';
import type { Subjects } from '../cluster/subjects.ts';

/** One node of itself. */
export type NodeReport = {
  readonly sessions: number;
  /** Takes no new connections (docs/admin.md). */
  readonly draining: boolean;
  readonly revision: number;
  readonly fresh: boolean;
  readonly mailHosts: readonly {
    readonly mailHost: string;
    readonly state: string;
    readonly epoch: number;
    readonly sessions: number;
  }[];
};

export type ClusterStatus = {
  readonly nodes: readonly {
    readonly node: string;
    /**
     * `serving`, `draining`, or `silent` when it is registered and did not answer; `not understood` when its answer is that
     * of another version.
     */
    readonly state: string;
    readonly sessions?: number;
    readonly revision?: number;
    /** Directory revisions behind the newest that any node has. */
    readonly lag?: number;
    readonly fresh?: boolean;
  }[];
  readonly mailHosts: readonly {
    readonly mailHost: string;
    readonly owner?: string;
    readonly epoch?: number;
    readonly sessions?: number;
  }[];
};

export type StatusOptions = {
  readonly me: string;
  readonly bus: Bus;
  readonly subjects: Subjects;
  readonly members: Members;
  readonly report: () => NodeReport;
};

const TIMEOUT_MS = 2000;

export const serveStatus = ({ me, bus, subjects, report }: StatusOptions): Promise<Service> =>
  bus.serve(subjects.node(me, 'status'), report);

export async function clusterStatus(options: StatusOptions): Promise<ClusterStatus> {
  // By name: the mirror lists what has just renewed its registration out of its order.
  const members = [...options.members.list()].sort((a, b) => (a.me < b.me ? -1 : 1));
  const reports = new Map(await Promise.all(members.map(async ({ me }) => [me, await reportOf(options, me)] as const)));
  const understood = new Map(
    [...reports].flatMap(([node, report]) => (isReport(report) ? [[node, report] as const] : [])),
  );
  const newest = Math.max(0, ...[...understood.values()].map(({ revision }) => revision));
  const known = [...new Set(members.flatMap((member) => member.mailHosts))].sort();
  return {
    nodes: [...reports].map(([node, report]) =>
      typeof report === 'object'
        ? {
            node,
            state: report.draining ? 'draining' : 'serving',
            sessions: report.sessions,
            revision: report.revision,
            lag: newest - report.revision,
            fresh: report.fresh,
          }
        : { node, state: report ?? 'silent' },
    ),
    mailHosts: known.map((mailHost) => ({ mailHost, ...ownerOf(mailHost, understood) })),
  };
}

async function reportOf(
  { me: here, bus, subjects, report }: StatusOptions,
  me: string,
): Promise<NodeReport | 'not understood' | undefined> {
  if (me === here) return report();
  try {
    const answer = await bus.ask(subjects.node(me, 'status'), null, { timeoutMs: TIMEOUT_MS });
    return isReport(answer) ? answer : 'not understood';
  } catch (error) {
    if (error instanceof BusError) return undefined;
    throw error;
  }
}

/** Sealed by a node, but perhaps one of another version. */
function isReport(answer: unknown): answer is NodeReport {
  if (typeof answer !== 'object' || answer === null) return false;
  const { sessions, draining, revision, fresh, mailHosts } = answer as Readonly<Record<string, unknown>>;
  const isNumbers = typeof sessions === 'number' && typeof revision === 'number';
  if (!isNumbers || typeof draining !== 'boolean' || typeof fresh !== 'boolean') return false;
  return Array.isArray(mailHosts) && mailHosts.every((each) => typeof each?.mailHost === 'string');
}

function ownerOf(mailHost: string, reports: ReadonlyMap<string, NodeReport>) {
  for (const [owner, report] of reports) {
    const served = report.mailHosts.find((each) => each.mailHost === mailHost && each.state === 'serving');
    if (served) return { owner, epoch: served.epoch, sessions: served.sessions };
  }
  return {};
}
