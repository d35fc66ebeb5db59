// Makes ../web/world.js, the map of the NOC page, from Natural Earth's country
// outlines (public domain) as the npm package world-atlas ships them in TopoJSON.
// Run it in a folder that has world-atlas, topojson-client, topojson-simplify and
// topojson-server installed:
//
//     node generate.mjs > ../web/world.js
//
// Everything is projected here (Robinson), so the page draws paths as they are.
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(join(process.cwd(), 'generate.mjs'))
const { feature } = require('topojson-client')
const { presimplify, simplify, quantile } = require('topojson-simplify')

const width = 1000
const [south, north] = [-57, 84]

// Robinson's table, every five degrees from the equator: length of the parallel,
// distance from the equator.
const robinson = [
  [1, 0], [0.9986, 0.062], [0.9954, 0.124], [0.99, 0.186], [0.9822, 0.248], [0.973, 0.31], [0.96, 0.372],
  [0.9427, 0.434], [0.9216, 0.4958], [0.8962, 0.5571], [0.8679, 0.6176], [0.835, 0.6769], [0.7986, 0.7346],
  [0.7597, 0.7903], [0.7186, 0.8435], [0.6732, 0.8936], [0.6213, 0.9394], [0.5722, 0.9761], [0.5322, 1],
]
const radius = width / (2 * Math.PI * 0.8487)

function raw(lon, lat) {
  const at = Math.min(Math.abs(lat) / 5, 17.999)
  const i = Math.floor(at)
  const between = (k) => robinson[i][k] + (robinson[i + 1][k] - robinson[i][k]) * (at - i)
  return [0.8487 * radius * between(0) * lon * Math.PI / 180, -Math.sign(lat) * 1.3523 * radius * between(1)]
}

const top = raw(0, north)[1]
const height = Math.round(raw(0, south)[1] - top)

function project([lon, lat]) {
  const [x, y] = raw(lon, Math.max(south, Math.min(north, lat)))
  return [x + width / 2, y - top]
}

// path writes rings with relative moves in tenths of a unit, the shortest form.
function path(rings, digits = 1) {
  const scale = 10 ** digits
  let d = ''
  for (const ring of rings) {
    let [px, py] = [0, 0]
    let moves = 0
    const points = ring.map(project).map(([x, y]) => [Math.round(x * scale), Math.round(y * scale)])
    if (new Set(points.map(String)).size < 3) continue
    points.forEach(([x, y], i) => {
      if (i > 0 && x === px && y === py) return
      const number = (v) => String(v / scale).replace(/^(-?)0\./, '$1.')
      const [a, b] = i === 0 ? [x, y] : [x - px, y - py]
      const [sa, sb] = [number(Math.round(a)), number(Math.round(b))]
      d += (i === 0 ? 'M' : moves++ === 0 ? 'l' : sa[0] === '-' ? '' : ' ') + sa + (sb[0] === '-' ? '' : ' ') + sb
      ;[px, py] = [x, y]
    })
    d += 'z'
  }
  return d
}

// alpha2 turns a UN M49 number into the ISO code that CLDR gives it. Kosovo has
// no number; XK is what the geography databases call it.
function alpha2(f) {
  if (f.id === undefined) return f.properties.name === 'Kosovo' ? 'XK' : ''
  return Intl.getCanonicalLocales(`und-${f.id}`)[0].slice(4)
}

const polygons = (g) => (g === null ? [] : g.type === 'Polygon' ? [g.coordinates] : g.coordinates)

// unwrap makes a ring that crosses the antimeridian go on beyond 180 degrees.
function unwrap(ring) {
  let turn = 0
  return ring.map(([lon, lat], i) => {
    const step = i === 0 ? 0 : lon - ring[i - 1][0]
    if (step > 180) turn -= 360
    if (step < -180) turn += 360
    return [lon + turn, lat]
  })
}

// clip keeps what of the ring lies on one side of a meridian.
function clip(ring, lon, side) {
  const inside = (p) => side * (p[0] - lon) >= 0
  const kept = []
  for (let i = 1; i < ring.length; i++) {
    const [a, b] = [ring[i - 1], ring[i]]
    if (inside(a)) kept.push(a)
    if (inside(a) !== inside(b)) kept.push([lon, a[1] + (b[1] - a[1]) * (lon - a[0]) / (b[0] - a[0])])
  }
  return kept.length < 3 ? [] : [[...kept, kept[0]]]
}

// cut splits a ring at the antimeridian.
function cut(ring) {
  const whole = unwrap(ring)
  const shift = (rings, by) => rings.map((r) => r.map(([lon, lat]) => [lon + by, lat]))
  if (whole.some((p) => p[0] > 180)) return [...clip(whole, 180, -1), ...shift(clip(whole, 180, 1), -360)]
  if (whole.some((p) => p[0] < -180)) return [...clip(whole, -180, 1), ...shift(clip(whole, -180, -1), 360)]
  return [whole]
}

function area(ring) {
  let sum = 0
  for (let i = 1; i < ring.length; i++) sum += ring[i - 1][0] * ring[i][1] - ring[i][0] * ring[i - 1][1]
  return sum / 2
}

function centroid(ring) {
  let [x, y] = [0, 0]
  for (let i = 1; i < ring.length; i++) {
    const cross = ring[i - 1][0] * ring[i][1] - ring[i][0] * ring[i - 1][1]
    x += (ring[i - 1][0] + ring[i][0]) * cross
    y += (ring[i - 1][1] + ring[i][1]) * cross
  }
  const a = area(ring)
  return a === 0 ? ring[0] : [x / (6 * a), y / (6 * a)]
}

function shapes() {
  const topology = presimplify(require('world-atlas/countries-110m.json'))
  const world = simplify(topology, quantile(topology, 0.72))
  const found = {}
  for (const f of feature(world, world.objects.countries).features) {
    const rings = polygons(f.geometry).flat().flatMap(cut)
    if (rings.length === 0 || f.properties.name === 'Antarctica') continue
    const code = alpha2(f)
    found[code] = (found[code] ?? '') + path(rings)
  }
  return found
}

// What the outlines do not tell apart, as longitude and latitude.
const small = {
  BQ: [-68.3, 12.2], BV: [3.4, -54.4], CC: [96.8, -12.2], CX: [105.6, -10.5], EH: [-13, 24.5], GF: [-53.1, 3.9], GI: [-5.35, 36.14], GP: [-61.5, 16.2],
  MQ: [-61, 14.6], RE: [55.5, -21.1], SJ: [18, 78.6], TK: [-171.8, -9.2], TV: [179.2, -8.5], UM: [166.6, 19.3], XK: [20.9, 42.6], YT: [45.2, -12.8],
}

function points() {
  const world = require('world-atlas/countries-50m.json')
  const found = {}
  for (const f of feature(world, world.objects.countries).features) {
    const code = alpha2(f)
    if (!/^[A-Z]{2}$/.test(code) || code in small) continue
    const largest = polygons(f.geometry).flatMap((p) => cut(p[0])).sort((a, b) => Math.abs(area(b)) - Math.abs(area(a)))[0]
    if (found[code] && found[code].size > Math.abs(area(largest))) continue
    found[code] = { at: centroid(largest), size: Math.abs(area(largest)) }
  }
  for (const [code, at] of Object.entries(small)) found[code] = { at }
  return Object.fromEntries(Object.keys(found).sort().map((c) => [c, project(found[c].at).map((v) => Math.round(v))]))
}

function graticule() {
  let d = ''
  const line = (coordinates) => {
    d += coordinates.map(project).map(([x, y], i) => (i ? 'L' : 'M') + x.toFixed(0) + ' ' + y.toFixed(0)).join('')
  }
  const steps = (from, to, by) => Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, i) => from + i * by)
  for (const lon of steps(-150, 150, 30)) line([...steps(south, north, 5), north].map((lat) => [lon, lat]))
  for (const lat of steps(-30, 60, 30)) line([[-180, lat], [180, lat]])
  return d
}

const edge = [...Array.from({ length: 29 }, (_, i) => [180, north - i * (north - south) / 28]),
  ...Array.from({ length: 29 }, (_, i) => [-180, south + i * (north - south) / 28])]

console.log(`// A world map, Robinson projection. Made by worldmap/generate.mjs from Natural Earth
// (public domain); change that and run it again instead of editing this.

export const width = ${width}
export const height = ${height}
export const outline = '${path([edge], 0)}'
export const graticule = '${graticule()}'

// The outline of each country by ISO 3166-1 code; small countries have none.
export const shapes = {
${Object.entries(shapes()).map(([c, d]) => `  ${/^[A-Z]{2}$/.test(c) ? c : `'${c}'`}: '${d}',`).join('\n')}
}

// Where to mark each country: the middle of its largest part.
export const points = {
${Object.entries(points()).map(([c, [x, y]]) => `${c}: [${x}, ${y}]`).reduce((lines, p) => {
    if ((lines.at(-1) + p).length > 108) lines.push('')
    lines[lines.length - 1] += `${p}, `
    return lines
  }, ['']).map((l) => '  ' + l.trim()).join('\n')}
}`)
