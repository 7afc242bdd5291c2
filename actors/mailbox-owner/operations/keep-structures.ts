/**
 * keep-structures: what mime/ made of bodies is kept with them, where it is not yet, or in another version (structures.ts), and
 * the body is still here.
 */
import { accept } from '../../../kernel/result.ts';
import type { StructureKept } from '../../../store/change.ts';
import type { View } from '../../../store/key-value.ts';
import { blobs, structures as kept } from '../../../store/tables.ts';
import type { Decision } from '../decide.ts';
import type { Answers, KeepStructures } from '../operation.ts';

export function keepStructures(view: View, { structures }: KeepStructures): Decision<Answers['keep-structures']> {
  const missing = structures.filter(
    ({ sha256, structure }) => blobs.get(view, sha256) && kept.get(view, sha256)?.[0] !== structure[0],
  );
  return {
    changes: missing.map(({ sha256, structure }): StructureKept => ({ type: 'StructureKept', sha256, structure })),
    answer: accept(null),
  };
}
