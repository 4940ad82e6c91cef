/** A model as one value: networks, text encoder and codec. */
import { Native } from '../codec/native'
import { readTensors } from '../files/safetensors'
import { FORMAT_VERSION, type About } from './about'
import { Conditioner } from './conditioning'
import { Networks, type LoadFile } from './networks'
import { TextEncoder } from './text'

export class Model {
  private constructor(
    readonly about: About,
    readonly networks: Networks,
    readonly text: TextEncoder,
    readonly conditioner: Conditioner,
    readonly native: Native,
  ) {}

  /** Load what music needs; the encoder of pictures waits until it is wanted. */
  static async load(about: About, load: LoadFile, wasm: BufferSource): Promise<Model> {
    if (about.version !== FORMAT_VERSION) {
      throw new Error(
        `the model is of version ${about.version}, not ${FORMAT_VERSION}: export it anew`,
      )
    }
    const networks = new Networks(about, load)
    const tables = readTensors(await load('codec.safetensors'))
    const native = await Native.load(wasm, about.codec, tables)
    const text = await TextEncoder.load(about, networks, load)
    await networks.ready('denoiser')
    await networks.ready('decoder')
    return new Model(about, networks, text, new Conditioner(about, text), native)
  }

  /** Samples that one latent cell lasts. */
  get cellSamples(): number {
    return this.about.cell.columns * this.about.sonogram.hop_length
  }
}
