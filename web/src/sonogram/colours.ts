/** Colour maps, and the tint that each gives to the page. */

export interface ColourMap {
  id: string
  name: string
  /** From silence to the loudest, evenly spaced. */
  stops: string[]
  /** For what is active on the page, on a dark ground. */
  accent: string
}

export const COLOUR_MAPS: ColourMap[] = [
  {
    id: 'ember',
    name: 'Ember',
    stops: ['#0b0910', '#1d1030', '#48135a', '#86205f', '#c8374a', '#f0702f', '#fbb34c', '#fff3cf'],
    accent: '#ff9a5c',
  },
  {
    id: 'tide',
    name: 'Tide',
    stops: ['#080b12', '#0c1c36', '#0f3a63', '#0e648a', '#1694a0', '#48c4a8', '#a5e8bd', '#f4ffe9'],
    accent: '#5fd6b8',
  },
  {
    id: 'violet',
    name: 'Violet hour',
    stops: ['#0a0912', '#19153d', '#33247a', '#5a3cb4', '#8f5bd6', '#c684e0', '#f0b6dc', '#fff1f3'],
    accent: '#c39bff',
  },
  {
    id: 'moss',
    name: 'Moss',
    stops: ['#090c0a', '#10221b', '#1a402d', '#2f6638', '#5f8e36', '#a3b53c', '#e3d562', '#fffbd8'],
    accent: '#b9d25a',
  },
  {
    id: 'silver',
    name: 'Silver',
    stops: ['#0a0a0c', '#1b1b20', '#34343b', '#55555e', '#7d7d86', '#a9a9b0', '#d5d5d9', '#ffffff'],
    accent: '#dcdce4',
  },
]

export const mapById = (id: string): ColourMap =>
  COLOUR_MAPS.find((map) => map.id === id) ?? COLOUR_MAPS[0]!

/** 256 RGBA colours. Mixed in linear light, so that the way from dark to bright is even. */
export function palette(map: ColourMap): Uint8Array {
  const stops = map.stops.map((hex) =>
    [1, 3, 5].map((i) => (parseInt(hex.slice(i, i + 2), 16) / 255) ** 2.2),
  )
  const colours = new Uint8Array(256 * 4)
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (stops.length - 1)
    const low = Math.min(Math.floor(at), stops.length - 2)
    for (let c = 0; c < 3; c++) {
      const value = stops[low]![c]! + (at - low) * (stops[low + 1]![c]! - stops[low]![c]!)
      colours[4 * i + c] = Math.round(255 * value ** (1 / 2.2))
    }
    colours[4 * i + 3] = 255
  }
  return colours
}
