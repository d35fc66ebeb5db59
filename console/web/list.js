// The list of alerts: the last changed on top, each alert once, updated in place.

import { byId, h } from './dom.js'
import { ago, plural } from './format.js'
import { alsoSeen, marks } from './incidents.js'

// most is how many rows the list keeps; the oldest go first.
const most = 1000

const rank = { low: 1, medium: 2, high: 3, critical: 4 }

export class List {
  #rows = new Map() // id -> { alert, item }
  #list = byId('list')
  #leads = new Map() // id -> the alert that stands for it in its incident
  current = ''

  // replace shows these alerts alone, the last changed first.
  replace(alerts) {
    this.#rows.clear()
    this.#list.replaceChildren()
    this.append(alerts)
  }

  // append adds older alerts at the end.
  append(alerts) {
    for (const alert of alerts) {
      if (this.#rows.has(alert.id)) continue
      const item = h('li', {}, this.#row(alert))
      this.#rows.set(alert.id, { alert, item })
      this.#list.append(item)
    }
    this.#refold()
  }

  // change moves a changed alert to the top and tells whether it is new. The stream does
  // not say of what incident it is part: that stays.
  change(alert) {
    const known = this.#rows.get(alert.id)
    alert = { incident: known?.alert.incident, related: known?.alert.related, ...alert }
    const item = known?.item ?? h('li')
    const focused = item.contains(document.activeElement)
    item.replaceChildren(this.#row(alert))
    item.className = known ? 'changed' : 'new'
    if (this.#list.firstChild !== item) this.#list.prepend(item)
    if (focused) item.firstChild.focus({ preventScroll: true })
    this.#rows.set(alert.id, { alert, item })
    while (this.#rows.size > most) this.#drop(this.#list.lastChild)
    this.#refold()
    return !known
  }

  #drop(item) {
    for (const [id, row] of this.#rows) if (row.item === item) this.#rows.delete(id)
    item.remove()
  }

  #row(alert) {
    return h('a', {
      class: `row ${alert.severity}`, href: `#/alerts/${encodeURIComponent(alert.id)}`, 'data-id': alert.id,
      'aria-current': alert.id === this.current ? 'true' : null,
    },
    h('span', {}, h('span', { class: `severity ${alert.severity}` }, alert.severity), marks(alert)),
    h('time', { datetime: alert.last_seen, 'data-age': alert.last_seen, title: 'last seen' }, ago(alert.last_seen)),
    h('span', { class: 'title' }, alert.title),
    h('span', { class: 'parties' }, parties(alert)),
    h('span', { class: 'count' }, volume(alert)))
  }

  // fold shows alerts of one incident about the same asset, peer and port as one row, that
  // of the worst: leads says which that is, by the identities.
  fold(leads) {
    this.#leads = leads
    this.#refold()
  }

  #refold() {
    const groups = new Map()
    for (const [id, { alert, item }] of this.#rows) {
      item.hidden = false
      item.querySelector('.also')?.remove()
      const lead = this.#leads.get(id)
      if (lead) groups.set(lead, [...(groups.get(lead) ?? []), alert])
    }
    for (const [lead, alerts] of groups) {
      if (alerts.length < 2) continue
      // The worst may not be in the list, for the filters leave it out.
      const first = alerts.find((a) => a.id === lead) ?? alerts.reduce((a, b) => (rank[b.severity] > rank[a.severity] ? b : a))
      for (const a of alerts) this.#rows.get(a.id).item.hidden = a !== first
      const seen = alsoSeen(alerts.filter((a) => a !== first))
      this.#rows.get(first.id).item.firstChild.append(h('span', { class: 'also' }, `also seen by: ${seen}`))
    }
  }

  // select marks the row of the alert that is shown in full.
  select(id) {
    this.current = id
    for (const [other, { item }] of this.#rows) {
      if (other === id) item.firstChild.setAttribute('aria-current', 'true')
      else item.firstChild.removeAttribute('aria-current')
    }
  }

  // move puts the focus on the next row, or the one before, incidents included, and gives
  // the address of what it is about.
  move(step) {
    const rows = [...document.querySelectorAll('.lists li:not([hidden]) > .row')]
    if (rows.length === 0) return ''
    const from = rows.findIndex((r) => r === document.activeElement)
    const at = from >= 0 ? from : rows.findIndex((r) => r.hasAttribute('aria-current'))
    const row = rows[at < 0 ? 0 : Math.max(0, Math.min(rows.length - 1, at + step))]
    row.focus()
    return row.getAttribute('href')
  }

  // focus puts the focus on the selected row, or the first.
  focus() {
    const row = this.#rows.get(this.current)?.item ?? this.#list.firstChild
    row?.firstChild.focus()
  }

  get alerts() { return [...this.#rows.values()].map((r) => r.alert) }
  get size() { return this.#rows.size }
  has(id) { return this.#rows.has(id) }
  get(id) { return this.#rows.get(id)?.alert }
}

function parties(alert) {
  const asset = name(alert.asset) || (alert.asset.zone && `zone ${alert.asset.zone}`)
  const peer = name(alert.peer)
  const where = alert.peer.country ? h('abbr', { class: 'country' }, alert.peer.country) : null
  if (!peer) return [h('b', {}, asset || 'no asset')]
  return [h('b', {}, asset || 'unknown'), h('span', { class: 'with' }, 'with'), peer, where]
}

const name = (party) => party.asset || party.addr

function volume(alert) {
  if (alert.flows > 0) return plural(alert.flows, 'flow')
  return alert.findings > 1 ? plural(alert.findings, 'window') : ''
}

// severest gives the higher of two severities.
export const severest = (a, b) => ((rank[a] ?? 0) >= (rank[b] ?? 0) ? a : b)
