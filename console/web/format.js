// Writes values as people read them.

const whole = new Intl.NumberFormat('en')
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const regions = new Intl.DisplayNames(['en'], { type: 'region', fallback: 'code' })

export const count = (n) => whole.format(n)

export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`

// rate writes what happens each second.
export const rate = (n) => (n > 0 && n < 0.01 ? '<0.01' : n >= 1000 ? count(Math.round(n)) : short.format(n))

// bytes writes a size in decimal units, as network people count.
export function bytes(n) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let unit = 0
  for (; n >= 1000 && unit < units.length - 1; unit++) n /= 1000
  return `${unit === 0 ? count(n) : short.format(n)} ${units[unit]}`
}

// measure writes a number of a detector in its unit.
export function measure(n, unit) {
  if (unit === 'bytes') return bytes(n)
  if (unit === 'seconds') return duration(n)
  return `${n >= 1000 ? count(Math.round(n)) : short.format(n)}${unit ? ` ${unit}` : ''}`
}

// duration writes seconds as people say them.
export function duration(seconds) {
  const units = [[86400, 'd'], [3600, 'h'], [60, 'min']]
  const [size, unit] = units.find(([s]) => seconds >= 2 * s) ?? [1, 's']
  return `${short.format(seconds / size)} ${unit}`
}

// rarity writes how often something at least as unusual is seen where nothing is wrong.
export function rarity(p) {
  if (!p) return 'not known'
  if (p > 0.1) return `${Math.round(100 * p)} % of the time`
  if (p < 1e-9) return 'less than 1 in a billion'
  return `1 in ${count(Number((1 / p).toPrecision(2)))}`
}

// utc writes an instant as 2026-03-01 06:00:00 UTC.
export function utc(time) {
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC`
}

// ago writes how long ago an instant was.
export function ago(time) {
  const seconds = Math.round((Date.now() - new Date(time)) / 1000)
  if (seconds < -5) return 'in the future'
  if (seconds < 5) return 'now'
  if (seconds < 60) return `${seconds} s ago`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h ago`
  return `${Math.floor(seconds / 86400)} days ago`
}

export function countryName(code) {
  try {
    return regions.of(code)
  } catch {
    return code
  }
}
