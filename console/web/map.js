// Draws the world with marks on countries.

import { h } from './dom.js'
import { countryName } from './format.js'
import { graticule, height, outline, points, shapes, width } from './world.js'

// zoom is how much larger a near map is.
const zoom = 1.9

// worldMap draws marks {country, severity, size, label}, and arcs from each to home, a
// country code, where that is known. A near map shows the part of the world around the
// marks, if they lie close enough. Its description names the countries.
export function worldMap(marks, { home = '', near = false } = {}) {
  const known = marks.filter((m) => points[m.country])
  const names = known.map((m) => countryName(m.country)).join(', ')
  const marked = new Map(known.map((m) => [m.country, m.severity]))
  return h('svg', { class: 'map', viewBox: near ? around([...known.map((m) => m.country), home]) : `0 0 ${width} ${height}`, role: 'img', 'aria-label': `World map marking ${names || 'nothing'}` },
    h('path', { class: 'sea', d: outline }),
    h('path', { class: 'graticule', d: graticule }),
    h('g', { class: 'land' }, Object.entries(shapes).map(([code, d]) =>
      h('path', { d, class: marked.has(code) ? `marked ${marked.get(code)}` : null }))),
    home && points[home] ? known.filter((m) => m.country !== home).map((m) => arc(m, home)) : [],
    known.map(dot),
  )
}

// around gives the view box that holds these countries, larger than life if it can.
function around(countries) {
  const at = countries.map((c) => points[c]).filter(Boolean)
  const range = (i) => [Math.min(...at.map((p) => p[i])), Math.max(...at.map((p) => p[i]))]
  const [w, h] = [width / zoom, height / zoom]
  if (at.length === 0) return `0 0 ${width} ${height}`
  const [[left, right], [top, bottom]] = [range(0), range(1)]
  if (right - left > w * 0.7 || bottom - top > h * 0.7) return `0 0 ${width} ${height}`
  const within = (middle, size, whole) => Math.max(0, Math.min(whole - size, middle - size / 2))
  return `${within((left + right) / 2, w, width)} ${within((top + bottom) / 2, h, height)} ${w} ${h}`
}

function dot(mark) {
  const [x, y] = points[mark.country]
  const radius = mark.size ?? 5
  return h('g', { class: `dot ${mark.severity}` },
    h('circle', { class: 'halo', cx: x, cy: y, r: radius * 2.4 }),
    h('circle', { cx: x, cy: y, r: radius }),
    mark.label && h('text', {
      x: x > width - 190 ? x - radius - 8 : x + radius + 8, y: y + 6, 'text-anchor': x > width - 190 ? 'end' : 'start',
    }, mark.label),
    h('title', {}, mark.label || countryName(mark.country)),
  )
}

function arc(mark, home) {
  const [[ax, ay], [bx, by]] = [points[mark.country], points[home]]
  const lift = Math.hypot(bx - ax, by - ay) * 0.25
  return h('path', { class: `arc ${mark.severity}`, d: `M${ax} ${ay}Q${(ax + bx) / 2} ${Math.max(4, (ay + by) / 2 - lift)} ${bx} ${by}` })
}
