import {
  Color,
  DataTexture,
  LinearFilter,
  Mesh,
  PerspectiveCamera,
  PlaneGeometry,
  RedFormat,
  RGBAFormat,
  Scene,
  ShaderMaterial,
  WebGLRenderer,
} from 'three'
import { palette, type ColourMap } from './colours'
import { BLACK, WHITE, type Frame, type Renderer } from './renderer'
import type { ColumnStore } from './store'

const COLUMNS = 240
const ROWS = 96

const VERTEX = `
uniform sampler2D levels;
uniform vec2 range;
varying float level;
varying float across;
void main() {
  float value = texture2D(levels, vec2(uv.y, uv.x)).r;
  level = clamp((value - range.x) / (range.y - range.x), 0.0, 1.0);
  across = uv.x;
  vec3 raised = position + vec3(0.0, 0.0, 0.62 * level * level);
  gl_Position = projectionMatrix * modelViewMatrix * vec4(raised, 1.0);
}`

const FRAGMENT = `
uniform sampler2D colours;
uniform float head;
varying float level;
varying float across;
void main() {
  vec3 light = texture2D(colours, vec2(0.002 + 0.996 * level, 0.5)).rgb;
  vec3 ground = texture2D(colours, vec2(0.002, 0.5)).rgb;
  float line = 1.0 - smoothstep(0.0, 0.004, abs(across - head));
  light = mix(light, ground, across > head ? 0.6 : 0.35 * (head - across));
  gl_FragColor = vec4(light + 0.5 * line * vec3(1.0), 1.0);
}`

/** The sonogram as a landscape: loudness is height. Loaded only when it is asked for. */
export class Relief implements Renderer {
  readonly frameMs = null
  private readonly renderer: WebGLRenderer
  private readonly scene = new Scene()
  private readonly camera = new PerspectiveCamera(38, 1, 0.1, 20)
  private readonly levels = new Uint8Array(COLUMNS * ROWS)
  private readonly heights: DataTexture
  private readonly material: ShaderMaterial

  constructor(canvas: HTMLCanvasElement) {
    this.renderer = new WebGLRenderer({ canvas })
    this.heights = new DataTexture(this.levels, ROWS, COLUMNS, RedFormat)
    this.heights.minFilter = this.heights.magFilter = LinearFilter
    this.material = new ShaderMaterial({
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      uniforms: {
        levels: { value: this.heights },
        colours: { value: null },
        range: { value: [BLACK, WHITE] },
        head: { value: 1 },
      },
    })
    const land = new Mesh(new PlaneGeometry(3.4, 2, COLUMNS - 1, ROWS - 1), this.material)
    land.rotation.x = -Math.PI / 2
    this.scene.add(land)
    this.camera.position.set(0.5, 1.75, 2.3)
    this.camera.lookAt(0, 0.1, 0)
  }

  setColours(map: ColourMap): void {
    const colours = new DataTexture(palette(map), 256, 1, RGBAFormat)
    colours.minFilter = colours.magFilter = LinearFilter
    colours.needsUpdate = true
    this.material.uniforms['colours']!.value = colours
    this.renderer.setClearColor(new Color(map.stops[0]))
  }

  resize(width: number, height: number): void {
    this.renderer.setSize(width, height, false)
    this.camera.aspect = width / height
    this.camera.position.z = 2.3 * Math.max(1, 1.25 / this.camera.aspect)
    this.camera.updateProjectionMatrix()
  }

  draw(store: ColumnStore | null, frame: Frame): void {
    this.levels.fill(0)
    const rows = store?.format.nMels ?? ROWS
    for (let x = 0; store && x < COLUMNS; x++) {
      const column = store.column(Math.round(frame.left + (x / (COLUMNS - 1)) * frame.span))
      if (!column) continue
      for (let y = 0; y < ROWS; y++) {
        this.levels[x * ROWS + y] = column[Math.floor((y * rows) / ROWS)]!
      }
    }
    this.heights.needsUpdate = true
    this.material.uniforms['head']!.value = (frame.head - frame.left) / frame.span
    this.renderer.render(this.scene, this.camera)
  }

  dispose(): void {
    this.heights.dispose()
    this.material.dispose()
    this.renderer.dispose()
  }
}
