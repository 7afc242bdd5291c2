/**
 * Plain data as octets: MessagePack without shared record structures, which decode to wrong names elsewhere.
 *
 * The same data gives the same octets everywhere as long as its objects are built with their fields in the same order;
 * that is why rows and changes are only ever built in one place. Decoded octet strings alias what they were decoded from.
 */
import { Packr } from 'msgpackr';

const codec = new Packr({ useRecords: false, variableMapSize: true });

export const encode = (value: unknown): Buffer => codec.pack(value);
/** Throws on octets that are no MessagePack. The caller knows the type: it encoded it, or checks it. */
export const decode = <T>(octets: Uint8Array): T => codec.unpack(octets) as T;
