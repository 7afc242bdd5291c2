/**
 * Contents of messages as peers send them (requests.ts), checked: what a body is called decides whose content it is, so its
 * hash is computed here, over the octets that are here.
 *
 * The structure of a staged body is found in the same reading. That of a body that comes whole is made when it is first asked
 * for (structures.ts): making it takes as long as all the rest of accepting a small message, and many are never asked for it.
 */
import type { Clock } from '../../kernel/clock.ts';
import { sha256 } from '../../store/blob.ts';
import type { Store } from '../../store/store.ts';
import { isCount, isName, must } from './must.ts';
import type { DeliverContent } from './operation.ts';
import type { Content } from './requests.ts';
import { stageHashing } from './staged-hash.ts';

/** Throws for a body that has another hash than it is said to have. */
export type CheckContent = (session: string, content: Content) => Promise<DeliverContent>;

export function contentChecking(store: Store, clock: Clock): CheckContent {
  const hashStage = stageHashing(store, clock);
  return async (session, content) => {
    if (content.kind === 'inline') {
      must(sha256(content.bytes) === content.sha256, 'the body has another hash');
      return { kind: 'inline', bytes: content.bytes, sha256: content.sha256 };
    }
    const { stage, sizeOctets } = content;
    const staged = await hashStage(session, stage);
    // Used up already, perhaps by this very request: `decide` knows.
    if (staged?.sizeOctets !== sizeOctets)
      return { kind: 'staged', stage, sizeOctets, sha256: content.sha256, body: 0 };
    must(staged.sha256 === content.sha256, 'the staged body has another hash');
    return { kind: 'staged', stage, ...staged };
  };
}

export function mustBeContent(content: Content): void {
  must(/^[0-9a-f]{64}$/.test(content?.sha256), 'content: hash');
  if (content.kind === 'inline') must(content.bytes instanceof Uint8Array, 'content: octets');
  else must(content.kind === 'staged' && isName(content.stage) && isCount(content.sizeOctets), 'content: stage');
}
