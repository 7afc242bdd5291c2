/** What the configuration lets an address do, in the terms of listeners: lists read from files, defaults filled in. */
import { readFileSync } from 'node:fs';
import type { AddressTerms } from '../actors/address-limits.ts';
import { WRONG_ADDRESS } from '../config/option.ts';
import { printProblem, show } from '../config/problem.ts';
import type { Listener } from '../config/schema.ts';
import { type AddressList, addressList, saysSomething } from '../kernel/address-list.ts';
import { type IpAddress, isLoopback } from '../kernel/ip-address.ts';
import { CommandError } from './command-error.ts';

/** Of its channels at most, so that one address alone never has them all, and a balancer that hides its clients has most. */
const SHARE = 0.75;
/** A hundred a second: TLS handshakes at that rate leave most of a processor to others. */
const PER_MINUTE = 6000;
const NO_LIMITS: AddressTerms = { connections: 0, perMinute: 0 };

/**
 * `allow` and the lines of `allow-file` together; undefined: everyone.
 * @throws CommandError naming the lines that are no addresses, or the file that can't be read
 */
export function allowedBy({ allow = [], allowFile }: Listener, key: string): AddressList | undefined {
  const list = addressList([...allow, ...(allowFile === undefined ? [] : linesOf(allowFile, key))]);
  if (!list.ok) throw new Error('lines of addresses that were looked at are wrong');
  return allow.length === 0 && allowFile === undefined ? undefined : list.value;
}

/** The lists of the configuration itself, whose lines were looked at when it was read. */
export function listOf(lines: readonly string[]): AddressList {
  const list = addressList(lines);
  if (!list.ok) throw new Error('lines of addresses that were looked at are wrong');
  return list.value;
}

/** The defaults are for strangers: what this machine does to itself, a balancer's work or an MTA's, has none. */
export function perAddressOf(listener: Listener): (address: IpAddress) => AddressTerms {
  const { channels, protocol, connectionsPerAddress, connectionRatePerAddress, limitsExempt = [] } = listener;
  const exempt = listOf(limitsExempt);
  const written = { connections: connectionsPerAddress ?? 0, perMinute: connectionRatePerAddress ?? 0 };
  const complete: AddressTerms = {
    connections: connectionsPerAddress ?? Math.max(1, Math.floor(channels * SHARE)),
    perMinute: connectionRatePerAddress ?? PER_MINUTE,
  };
  return (address) => {
    if (exempt.has(address)) return NO_LIMITS;
    return protocol === 'lmtp' || isLoopback(address) ? written : complete;
  };
}

function linesOf(file: string, key: string): readonly string[] {
  const lines = textOf(file, key).split(/\r?\n/);
  const read = addressList(lines);
  if (!read.ok)
    throw new CommandError(
      ...read.refusal.map(({ line, fault }) =>
        printProblem({ file, text: `line ${line}: ${show(lines[line - 1]!)} is not allowed: ${WRONG_ADDRESS[fault]}` }),
      ),
    );
  // A file cut short by accident must not open what it closed, nor close it to everyone without a word.
  if (!saysSomething(lines)) throw new CommandError(printProblem({ file, text: 'names no address' }));
  return lines;
}

function textOf(file: string, key: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(`${key}: ${show(file)} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}
