// Ties the page together: what is shown, the filters, the stream, the keyboard.

import { get } from './api.js'
import { detail } from './detail.js'
import { byId, h, showTimes } from './dom.js'
import { exportersView, troubled } from './exporters.js'
import { ago, utc } from './format.js'
import { List } from './list.js'
import { Live } from './live.js'
import { nothing, overview } from './overview.js'

const list = new List()
const live = new Live(changed, connection)
const filters = { severity: byId('severity'), q: byId('search') }

let open = '' // the id of the alert that is shown in full
let shown = null // that alert
let exporters = null // the latest answer of /api/v1/exporters
let older = '' // the cursor of the next page
let loading = null // aborts the listing under way
let unseen = 0 // alerts that came while nobody looked

const parameters = () => ({ severity: filters.severity.value, q: filters.q.value.trim() })
const filtered = () => Object.values(parameters()).some(Boolean)
const present = (all) => Object.fromEntries(Object.entries(all).filter(([, v]) => v))

// load shows the alerts that the filters select and follows the stream from there.
async function load() {
  loading?.abort()
  const { signal } = loading = new AbortController()
  const wanted = present(parameters())
  try {
    const answer = await get('alerts', { ...wanted, limit: 100 }, signal)
    list.replace(answer.alerts)
    older = answer.next
    complain('')
    live.follow(wanted, answer.last_version)
  } catch (error) {
    if (error.name === 'AbortError') return
    complain(error.message)
    connection('reconnecting')
    setTimeout(() => { if (!signal.aborted) load() }, 3000)
    return
  }
  arrange()
  if (!open) showDetail()
}

async function loadOlder() {
  try {
    const answer = await get('alerts', { ...present(parameters()), limit: 100, cursor: older })
    list.append(answer.alerts)
    older = answer.next
    arrange()
  } catch (error) {
    complain(error.message)
  }
}

// changed takes an alert from the stream.
function changed(alert) {
  const isNew = list.change(alert)
  if (isNew) {
    byId('announce').textContent = `New ${alert.severity} alert: ${alert.title}`
    if (document.hidden) document.title = `(${++unseen} new) tapwatch`
  }
  arrange()
  if (alert.id === open) {
    shown = alert
    render(detail(alert))
  } else if (!open) {
    showDetail()
  }
}

function complain(message) {
  byId('list-error').textContent = message
  byId('list-error').hidden = !message
}

function connection(state) {
  const element = byId('connection')
  if (element.dataset.state === state) return
  element.dataset.state = state
  element.textContent = state
}

// arrange shows what belongs below the list.
function arrange() {
  byId('older').hidden = !older
  const empty = byId('list-empty')
  empty.hidden = list.size > 0
  if (list.size > 0) return
  empty.replaceChildren(...(filtered()
    ? [h('h2', {}, 'No alert matches'), h('button', { class: 'button', type: 'button', onclick: clearFilters }, 'Show all alerts')]
    : nothing(exporters)))
}

function clearFilters() {
  filters.severity.value = ''
  filters.q.value = ''
  load()
}

// render swaps the right side and keeps its scroll position if it is the same alert.
function render(content) {
  const pane = byId('detail')
  const same = content.dataset.id && pane.firstChild?.dataset?.id === content.dataset.id
  const at = same ? pane.scrollTop : 0
  pane.replaceChildren(content)
  pane.scrollTop = at
}

async function showDetail() {
  list.select(open)
  document.body.classList.toggle('opened', open !== '')
  if (!open) {
    render(filtered() || list.size > 0 || exporters?.exporters.length
      ? overview(list.alerts, exporters) : h('div', { class: 'empty wide' }, nothing(exporters)))
    return
  }
  const id = open
  shown = list.get(id) ?? (shown?.id === id ? shown : null)
  if (shown) {
    render(detail(shown))
    return
  }
  render(h('p', { class: 'empty' }, 'Loading …'))
  try {
    shown = await get(`alerts/${encodeURIComponent(id)}`)
    if (open === id) render(detail(shown))
  } catch (error) {
    if (open === id) render(h('div', { class: 'empty wide' }, h('h1', {}, 'This alert cannot be shown'), h('p', {}, error.message)))
  }
}

async function loadExporters() {
  const view = byId('view-exporters')
  try {
    exporters = await get('exporters')
  } catch (error) {
    if (!view.hidden) view.replaceChildren(h('p', { class: 'error', role: 'alert' }, error.message))
    return
  }
  const badge = byId('exporters-badge')
  badge.textContent = troubled(exporters.exporters)
  badge.hidden = !badge.textContent
  if (!view.hidden) view.replaceChildren(exportersView(exporters))
  arrange()
  if (!open) showDetail()
}

// route shows what the address names: #/, #/alerts/ID, #/exporters.
function route() {
  const path = location.hash.slice(2).split('/')
  const onExporters = path[0] === 'exporters'
  byId('view-alerts').hidden = onExporters
  byId('view-exporters').hidden = !onExporters
  byId('tab-alerts').ariaCurrent = onExporters ? null : 'page'
  byId('tab-exporters').ariaCurrent = onExporters ? 'page' : null
  if (onExporters) {
    if (exporters) byId('view-exporters').replaceChildren(exportersView(exporters))
    loadExporters()
    return
  }
  open = path[0] === 'alerts' && path[1] ? decodeURIComponent(path[1]) : ''
  showDetail()
}

function onKey(event) {
  const typing = event.target.matches('input, select, textarea')
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === 'Escape') {
    if (typing) {
      event.target.blur()
    } else if (open) {
      location.hash = '#/'
    }
    list.focus()
  } else if (typing || byId('view-alerts').hidden) {
    return
  } else if (event.key === '/') {
    filters.q.focus()
    filters.q.select()
  } else if (event.key === 'j' || event.key === 'k') {
    const id = list.move(event.key === 'j' ? 1 : -1)
    if (open && id) location.replace(`#/alerts/${encodeURIComponent(id)}`)
  } else {
    return
  }
  event.preventDefault()
}

function tick() {
  byId('clock').textContent = utc(Date.now())
  showTimes(document, ago)
}

function start() {
  let typing = 0
  filters.severity.addEventListener('change', load)
  filters.q.addEventListener('input', () => {
    clearTimeout(typing)
    typing = setTimeout(load, 250)
  })
  byId('filters').addEventListener('submit', (event) => {
    event.preventDefault()
    load()
  })
  byId('older').addEventListener('click', loadOlder)
  addEventListener('hashchange', route)
  addEventListener('keydown', onKey)
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return
    unseen = 0
    document.title = 'tapwatch'
  })
  setInterval(tick, 1000)
  setInterval(loadExporters, 10_000)
  tick()
  load()
  loadExporters()
  route()
}

start()
