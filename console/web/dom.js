// Makes elements. Data becomes text or attributes, never markup, so nothing that a
// router or an intruder chose can run here.

const svgTags = new Set(['svg', 'path', 'circle', 'g', 'text', 'title'])

// h makes an element. Properties are attributes; onX is a listener, class a class,
// false and null are left out. Children are nodes, strings, or lists of them.
export function h(tag, properties = {}, ...children) {
  const element = svgTags.has(tag)
    ? document.createElementNS('http://www.w3.org/2000/svg', tag)
    : document.createElement(tag)
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === false || value === null || value === undefined) continue
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value)
    else element.setAttribute(name, value === true ? '' : value)
  }
  element.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false && c !== ''))
  return element
}

export const byId = (id) => document.getElementById(id)

// showTimes brings every age on the page up to date.
export function showTimes(root, ago) {
  for (const element of root.querySelectorAll('[data-age]')) element.textContent = ago(element.dataset.age)
}
