/** What `homing status` shows: each registered node asked for its own part, put together by the one that was asked. */
import { type Bus, BusError, type Service } from '../cluster/bus/bus.ts';
import type { Members } from '../cluster/directory/directory.ts';
import type { Subjects } from '../cluster/subjects.ts';

/** One node of itself. */
export type NodeReport = {
  readonly sessions: number;
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
    /** `serving`, or `silent` when it is registered and did not answer. */
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
  const members = options.members.list();
  const reports = new Map(await Promise.all(members.map(async ({ me }) => [me, await reportOf(options, me)] as const)));
  const newest = Math.max(0, ...[...reports.values()].map((report) => report?.revision ?? 0));
  const known = [...new Set(members.flatMap((member) => member.mailHosts))].sort();
  return {
    nodes: [...reports].map(([node, report]) =>
      report
        ? {
            node,
            state: 'serving',
            sessions: report.sessions,
            revision: report.revision,
            lag: newest - report.revision,
            fresh: report.fresh,
          }
        : { node, state: 'silent' },
    ),
    mailHosts: known.map((mailHost) => ({ mailHost, ...ownerOf(mailHost, reports) })),
  };
}

async function reportOf(
  { me: here, bus, subjects, report }: StatusOptions,
  me: string,
): Promise<NodeReport | undefined> {
  if (me === here) return report();
  try {
    return (await bus.ask(subjects.node(me, 'status'), null, { timeoutMs: TIMEOUT_MS })) as NodeReport;
  } catch (error) {
    if (error instanceof BusError) return undefined;
    throw error;
  }
}

function ownerOf(mailHost: string, reports: ReadonlyMap<string, NodeReport | undefined>) {
  for (const [owner, report] of reports) {
    const served = report?.mailHosts.find((each) => each.mailHost === mailHost && each.state === 'serving');
    if (served) return { owner, epoch: served.epoch, sessions: served.sessions };
  }
  return {};
}
