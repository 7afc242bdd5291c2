/** docs/imap-examples.md: what became of each example that the RFCs of IMAP print. Pure; `npm run docs` writes it. */
import type { Example } from './imap-examples.ts';
import { exampleFiles, type Printed, printedExamples } from './imap-examples-reader.ts';

type Place = Pick<Printed, 'rfc' | 'section' | 'ordinal'>;
export const placeOf = ({ rfc, section, ordinal }: Place): string => `${rfc} §${section}, ${ordinal}`;

/** The RFCs whose examples are gone through, in this order; one that prints none is here too. */
const rfcs = [9051, 3501, 7162, 5256, 5258, 4731, 5182, 6851, 3516, 4314, 5464];

const introduction = `# The examples of the RFCs

Every example that the RFCs of IMAP print as lines of \`C:\` and \`S:\` is in \`test/transcripts/imap-examples/\`, with the mailboxes and messages that it takes for granted, down to UIDs, UIDVALIDITY and mod-sequences; \`index.txt\` there counts them. \`test/actors/imap/examples.test.ts\` plays them on a local bus, \`examples-nats.test.ts\` on three nodes joined by NATS. A session hears what is printed, but for what RFC 9051 leaves to a server: the words behind a status or a code, the order of untagged responses, of flags and of items, case where it does not matter, capabilities, flags and codes beside those printed, and whether a string is an atom, quoted or a literal. Of mod-sequences with 16 digits and more the last 15 are played: those of Homing have 53 bits.

*As printed* is played without any other difference; where a response is printed alone, with the command that has it said. *With a difference* is played too, and the table below says which lines are not as printed, and why. *Impossible* is not played.
`;

export function examplesPage(): string {
  const examples = new Map(exampleFiles().flatMap(({ examples }) => examples.map((each) => [placeOf(each), each])));
  const printed = printedExamples();
  const counts = rfcs.map((rfc) => {
    const ofIt = printed.filter((each) => each.rfc === rfc).map((each) => examples.get(placeOf(each)));
    const count = (is: (example: Example | undefined) => boolean) => ofIt.filter(is).length;
    const impossible = count((each) => each?.impossible !== undefined);
    const but = count((each) => each?.impossible === undefined && each?.but !== undefined);
    return `| ${rfc} | ${ofIt.length} | ${ofIt.length - but - impossible} | ${but} | ${impossible} |`;
  });
  const rows = (reasonOf: (example: Example) => string | undefined) =>
    printed.flatMap((each) => {
      const example = examples.get(placeOf(each));
      const reason = example && reasonOf(example);
      return reason === undefined ? [] : [`| ${placeOf(each)} | \`${each.line.replaceAll('|', '\\|')}\` | ${reason} |`];
    });
  return [
    introduction,
    '| RFC | printed | as printed | with a difference | impossible |\n|---|---|---|---|---|',
    `${counts.join('\n')}\n`,
    '## Impossible\n\n| RFC | begins with | why |\n|---|---|---|',
    `${rows(({ impossible }) => impossible).join('\n')}\n`,
    '## With a difference\n\n| RFC | begins with | what |\n|---|---|---|',
    `${rows(({ but, impossible }) => (impossible === undefined ? but : undefined)).join('\n')}\n`,
  ].join('\n');
}
