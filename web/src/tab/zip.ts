/** ZIP files whose members are stored as they are. */
import { crc32 } from './crc'

export interface Member {
  name: string
  data: Blob
}

const LOCAL = 0x04034b50
const CENTRAL = 0x02014b50
const END = 0x06054b50
const LOCAL_BYTES = 30
const CENTRAL_BYTES = 46
const END_BYTES = 22
const VERSION = 20
const UTF8 = 1 << 11
/** 1 January 1980. */
const NO_DATE = 0x21
const MOST_BYTES = 2 ** 32 - 1
const MOST_MEMBERS = 65535

/** A ZIP file of members. */
export async function zipped(members: Member[]): Promise<Blob> {
  if (members.length > MOST_MEMBERS) throw new Error('These are too many files for one archive.')
  const parts: Blob[] = []
  const directory: Uint8Array<ArrayBuffer>[] = []
  let at = 0
  for (const { name, data } of members) {
    const bytes = new TextEncoder().encode(name)
    // One after the other: a gallery may be larger than the memory.
    const crc = crc32(new Uint8Array(await data.arrayBuffer()))
    const told = [...[VERSION, UTF8, 0, 0, NO_DATE], ...long(crc), ...long(data.size)]
    const facts = [...told, ...long(data.size), bytes.length, 0]
    parts.push(new Blob([record(LOCAL, facts), bytes, data]))
    directory.push(record(CENTRAL, [VERSION, ...facts, 0, 0, 0, 0, 0, ...long(at)]), bytes)
    at += LOCAL_BYTES + bytes.length + data.size
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0)
  if (at + size > MOST_BYTES) throw new Error('The archive would be larger than 4 GB.')
  const count = members.length
  const end = record(END, [0, 0, count, count, ...long(size), ...long(at), 0])
  return new Blob([...parts, ...directory, end], { type: 'application/zip' })
}

/** The members of a ZIP file of ours; throws where it is another one, or damaged. */
export async function unzipped(file: Blob): Promise<Member[]> {
  const end = await viewOf(file, file.size - END_BYTES, END_BYTES, END)
  let at = end.getUint32(16, true)
  const members: Member[] = []
  for (let n = end.getUint16(10, true); n > 0; n--) {
    const facts = await viewOf(file, at, CENTRAL_BYTES, CENTRAL)
    const [crc, size] = [facts.getUint32(16, true), facts.getUint32(24, true)]
    const length = facts.getUint16(28, true)
    const first = facts.getUint32(42, true)
    const name = await file.slice(at + CENTRAL_BYTES, at + CENTRAL_BYTES + length).text()
    const local = await viewOf(file, first, LOCAL_BYTES, LOCAL)
    const start = first + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true)
    const data = file.slice(start, start + size)
    const stored = facts.getUint16(10, true) === 0
    if (!stored || crc32(new Uint8Array(await data.arrayBuffer())) !== crc) throw damaged()
    members.push({ name, data })
    at += CENTRAL_BYTES + length + facts.getUint16(30, true) + facts.getUint16(32, true)
  }
  return members
}

const damaged = () => new Error('This is no exported gallery, or it is damaged.')

async function viewOf(file: Blob, at: number, bytes: number, signature: number): Promise<DataView> {
  const view = new DataView(await file.slice(Math.max(0, at), at + bytes).arrayBuffer())
  if (view.byteLength < bytes || view.getUint32(0, true) !== signature) throw damaged()
  return view
}

const long = (value: number): [number, number] => [value & 0xffff, value >>> 16]

/** A signature and numbers of two bytes each. */
function record(signature: number, shorts: number[]): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Uint16Array.from([...long(signature), ...shorts]).buffer)
}
