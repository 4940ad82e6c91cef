/** A RIFF/WAVE file of interleaved 16-bit frames. */
export function wavFile(blocks: Int16Array[], channels: number, sampleRate: number): ArrayBuffer {
  const bytes = 2 * blocks.reduce((sum, block) => sum + block.length, 0)
  const file = new ArrayBuffer(44 + bytes)
  const view = new DataView(file)
  const text = (at: number, value: string) =>
    [...value].forEach((sign, i) => view.setUint8(at + i, sign.charCodeAt(0)))
  text(0, 'RIFF')
  view.setUint32(4, 36 + bytes, true)
  text(8, 'WAVEfmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, 1, true)
  view.setUint16(22, channels, true)
  view.setUint32(24, sampleRate, true)
  view.setUint32(28, sampleRate * channels * 2, true)
  view.setUint16(32, channels * 2, true)
  view.setUint16(34, 16, true)
  text(36, 'data')
  view.setUint32(40, bytes, true)
  let at = 44
  for (const block of blocks) {
    for (const value of block) {
      view.setInt16(at, value, true)
      at += 2
    }
  }
  return file
}
