/**
 * ENVELOPE on the wire: RFC 9051 §7.5.2 and §9 `envelope`. From one header section's fields; encoded words (RFC 2047) go as
 * they are, for the client to decode. Where a field that may come once came more often the last counts, but several address
 * fields are one list: so RFC 5322 §4.5.3 has it for destinations, and leaves open what is done with others.
 */
import { type Address, parseAddresses } from './address.ts';
import type { FieldCollector } from './field-collector.ts';
import { list, nstring } from './nstring.ts';
import { Scanner } from './scanner.ts';

/** Lower case, as a FieldCollector wants them. */
export const ENVELOPE_FIELDS = [
  'date',
  'subject',
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'bcc',
  'in-reply-to',
  'message-id',
] as const;

/** How many addresses may still be told; one for each message, shared by the messages within it. */
export type Allowance = { addresses: number; steps: number };

/** `envelope`, its parentheses included; latin1 text, one character an octet. */
export function envelope(fields: FieldCollector, allowance: Allowance): string {
  const text = (name: string) => nstring(fields.last(name));
  const addresses = (values: readonly string[]) => addressList(values, allowance);
  const from = addresses(fields.all('from'));
  // RFC 9051 §7.5.2: absent or empty, these two are the same as From.
  const orFrom = (name: string) => {
    const own = addresses(fields.all(name));
    return own === list([]) ? from : own;
  };
  return list([
    text('date'),
    text('subject'),
    from,
    orFrom('sender'),
    orFrom('reply-to'),
    addresses(fields.all('to')),
    addresses(fields.all('cc')),
    addresses(fields.all('bcc')),
    text('in-reply-to'),
    text('message-id'),
  ]);
}

function addressList(values: readonly string[], allowance: Allowance): string {
  const value = new Scanner(values.join(','));
  const addresses = parseAddresses(value, allowance.addresses);
  allowance.addresses = Math.max(0, allowance.addresses - addresses.length);
  allowance.steps += value.steps;
  return addresses.length === 0 ? list([]) : `(${addresses.map(address).join('')})`; // `1*address`: no space between
}

/** `address = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"` */
function address({ name, route, mailbox, host }: Address): string {
  return list([nstring(name), nstring(route), nstring(mailbox), nstring(host)]);
}
