import { palette, type ColourMap } from './colours'
import { BLACK, WHITE, type Frame, type Renderer } from './renderer'
import type { ColumnStore } from './store'

const VERTEX = `#version 300 es
out vec2 place;
void main() {
  vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  place = 0.5 + 0.5 * corner;
  gl_Position = vec4(corner, 0.0, 1.0);
}`

// Columns are counted from the playhead, so that single precision is enough for hours.
const FRAGMENT = `#version 300 es
precision highp float;
uniform sampler2D levels;   // x: row, y: column, a ring
uniform sampler2D colours;
uniform float left;         // column at the left edge, from the playhead
uniform float span;
uniform float ring;         // columns of the texture
uniform float base;         // playhead's column within the ring
uniform vec2 there;         // first and last column, from the playhead
uniform vec2 range;         // black and white level
uniform float second;       // columns of a second
uniform float alive;        // 1 while playing
in vec2 place;
out vec4 colour;
void main() {
  float column = left + place.x * span;
  vec3 ground = texture(colours, vec2(0.002, 0.5)).rgb;
  float level = texture(levels, vec2(place.y, (base + column + 0.5) / ring)).r;
  level = clamp((level - range.x) / (range.y - range.x), 0.0, 1.0);
  bool shown = column >= there.x && column <= there.y - 1.0;
  float value = shown ? level : 0.0;
  vec3 light = texture(colours, vec2(0.002 + 0.996 * value, 0.5)).rgb;
  float ago = -column / second;
  if (ago >= 0.0) {
    light += alive * 0.55 * exp(-ago * 5.0) * value * light;
    light = mix(light, ground, 0.25 * smoothstep(1.0, 14.0, ago));
  } else {
    float grey = dot(light, vec3(0.3, 0.59, 0.11));
    light = mix(ground, mix(light, vec3(grey), 0.55), 0.42);
  }
  colour = vec4(light, 1.0);
}`

let hasProcessor: boolean | null = null

/**
 * Whether WebGL 2 is drawn by a graphics processor. By the main processor it takes most of a core,
 * which the music needs. Asked on a canvas of its own: one that was asked for WebGL gives no other
 * context.
 */
export function drawsOnGraphicsProcessor(): boolean {
  if (hasProcessor !== null) return hasProcessor
  const gl = document.createElement('canvas').getContext('webgl2')
  const about = gl?.getExtension('WEBGL_debug_renderer_info')
  const name = gl && about ? String(gl.getParameter(about.UNMASKED_RENDERER_WEBGL)) : ''
  hasProcessor = gl !== null && !/swiftshader|llvmpipe|softpipe|software|basic render/i.test(name)
  gl?.getExtension('WEBGL_lose_context')?.loseContext()
  return hasProcessor
}

/** The sonogram on the graphics processor: columns go up once, every frame is one triangle. */
export class WebGLRenderer implements Renderer {
  readonly frameMs = null
  private readonly gl: WebGL2RenderingContext
  private readonly program: WebGLProgram
  private readonly places = new Map<string, WebGLUniformLocation | null>()
  private levels: WebGLTexture | null = null
  private readonly colours: WebGLTexture
  private readonly ring: number
  private store: ColumnStore | null = null
  private uploaded = 0

  constructor(canvas: HTMLCanvasElement) {
    const gl = canvas.getContext('webgl2', { alpha: false, antialias: false })
    if (!gl) throw new Error('no WebGL 2 here')
    this.gl = gl
    this.ring = Math.min(4096, gl.getParameter(gl.MAX_TEXTURE_SIZE) as number)
    this.program = link(gl)
    gl.useProgram(this.program)
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1)
    this.colours = texture(gl, 1, gl.CLAMP_TO_EDGE)
    gl.uniform1i(this.place('levels'), 0)
    gl.uniform1i(this.place('colours'), 1)
  }

  setColours(map: ColourMap): void {
    const { gl } = this
    gl.activeTexture(gl.TEXTURE1)
    gl.bindTexture(gl.TEXTURE_2D, this.colours)
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, 256, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, palette(map))
  }

  resize(width: number, height: number): void {
    this.gl.viewport(0, 0, width, height)
  }

  draw(store: ColumnStore | null, frame: Frame): void {
    const { gl } = this
    if (store && store !== this.store) this.adopt(store)
    if (store) this.upload(store)
    const base = ((frame.head % this.ring) + this.ring) % this.ring
    const first = Math.max(store?.first ?? 0, (store?.end ?? 0) - this.ring)
    gl.uniform1f(this.place('left'), frame.left - frame.head)
    gl.uniform1f(this.place('span'), frame.span)
    gl.uniform1f(this.place('ring'), this.ring)
    gl.uniform1f(this.place('base'), base)
    gl.uniform2f(this.place('there'), first - frame.head, (store?.end ?? 0) - frame.head)
    gl.uniform2f(this.place('range'), BLACK, WHITE)
    const { sampleRate, hopLength } = store?.format ?? { sampleRate: 44100, hopLength: 512 }
    gl.uniform1f(this.place('second'), sampleRate / hopLength)
    gl.uniform1f(this.place('alive'), frame.playing ? 1 : 0)
    gl.drawArrays(gl.TRIANGLES, 0, 3)
  }

  dispose(): void {
    this.gl.getExtension('WEBGL_lose_context')?.loseContext()
  }

  private adopt(store: ColumnStore): void {
    const { gl } = this
    this.store = store
    this.uploaded = store.first
    if (this.levels) gl.deleteTexture(this.levels)
    gl.activeTexture(gl.TEXTURE0)
    this.levels = texture(gl, 0, gl.REPEAT)
    gl.texStorage2D(gl.TEXTURE_2D, 1, gl.R8, store.format.nMels, this.ring)
  }

  private upload(store: ColumnStore): void {
    const { gl } = this
    gl.activeTexture(gl.TEXTURE0)
    gl.bindTexture(gl.TEXTURE_2D, this.levels)
    const from = Math.max(this.uploaded, store.end - this.ring)
    for (const run of store.runs(from, store.end)) {
      let done = 0
      while (done < run.count) {
        const y = (run.first + done) % this.ring
        const count = Math.min(run.count - done, this.ring - y)
        const { nMels } = store.format
        const part = run.levels.subarray(done * nMels, (done + count) * nMels)
        gl.texSubImage2D(gl.TEXTURE_2D, 0, 0, y, nMels, count, gl.RED, gl.UNSIGNED_BYTE, part)
        done += count
      }
    }
    this.uploaded = store.end
  }

  private place(name: string): WebGLUniformLocation | null {
    let found = this.places.get(name)
    if (found === undefined) {
      found = this.gl.getUniformLocation(this.program, name)
      this.places.set(name, found)
    }
    return found
  }
}

function texture(gl: WebGL2RenderingContext, unit: number, wrap: number): WebGLTexture {
  const made = gl.createTexture()
  gl.activeTexture(gl.TEXTURE0 + unit)
  gl.bindTexture(gl.TEXTURE_2D, made)
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR)
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR)
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE)
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, wrap)
  return made
}

function link(gl: WebGL2RenderingContext): WebGLProgram {
  const program = gl.createProgram()
  for (const [type, source] of [
    [gl.VERTEX_SHADER, VERTEX],
    [gl.FRAGMENT_SHADER, FRAGMENT],
  ] as const) {
    const shader = gl.createShader(type)
    if (!shader) throw new Error('the graphics context was lost')
    gl.shaderSource(shader, source)
    gl.compileShader(shader)
    gl.attachShader(program, shader)
  }
  gl.linkProgram(program)
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
    throw new Error(`shaders do not link: ${gl.getProgramInfoLog(program)}`)
  }
  return program
}
