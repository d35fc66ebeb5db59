// What a person does about an alert: silence it, approve what it tells of.

import { send } from './api.js'
import { h } from './dom.js'
import { protocolName } from './names.js'

const hours = [['1', '1 hour'], ['8', '8 hours: a shift'], ['24', '1 day'], ['168', '1 week'], ['720', '30 days'], ['2160', '90 days, the most']]
const days = [['1', '1 day'], ['7', '1 week'], ['30', '30 days'], ['90', '90 days'], ['365', '1 year, the most']]

// actions makes the forms of an alert. done is called after a change, with what it was.
export function actions(alert, done) {
  return h('section', { class: 'query act', 'aria-label': 'Silence or approve' }, silence(alert, done), approve(alert, done))
}

function silence(alert, done) {
  const about = [
    alert.asset.asset || alert.asset.addr ? choice('asset', alert.asset.asset || alert.asset.addr, `asset ${alert.asset.asset || alert.asset.addr}`, true) : null,
    alert.peer.addr ? choice('peer', alert.peer.addr, `peer ${alert.peer.addr}`, true) : null,
    alert.port ? choice('port', alert.port, `port ${alert.port}`, true) : null,
    choice('detector', alert.detector, `detector ${alert.detector}`, !alert.peer.addr),
    choice('rule', alert.rule, `rule ${alert.rule} (of that detector)`, !alert.peer.addr),
  ]
  return form('silence', 'Silence this and the like', 'Silence',
    [h('p', { class: 'dim' }, 'Alerts like this go on being found, stored and counted. They are not shown until the silence ends.'),
      h('fieldset', {}, h('legend', {}, 'Alerts with this'), about),
      ...words(), until('How long', hours, '8')],
    async (data) => {
      const body = { ...said(data), expires_at: `${data.get('until')}h` }
      for (const name of ['asset', 'peer', 'detector', 'rule']) if (data.get(name)) body[name] = data.get(name)
      if (data.get('port')) body.port = Number(data.get('port'))
      if (body.rule && !body.detector) body.detector = alert.detector
      await send('POST', 'silences', body)
      return 'Silenced. It is listed under Silences, where it can be ended.'
    }, done)
}

function approve(alert, done) {
  if (!alert.peer.addr || !alert.asset.addr || !alert.protocol) return null
  const [from, to] = alert.initiator === 'asset' ? [alert.asset, alert.peer] : [alert.peer, alert.asset]
  const name = (p) => (p.asset ? `${p.asset} (${p.addr})` : p.addr)
  const service = `${protocolName(alert.protocol)}${alert.port ? ` ${alert.port}` : ''}`
  const outside = (p, q) => p.zone_kind === 'lawful-intercept' && !q.zone
  const dangerous = outside(alert.asset, alert.peer) || outside(alert.peer, alert.asset)
  return form('approve', 'Approve this traffic', 'Approve',
    [h('p', {}, `Allows ${name(from)} to open ${service} to ${name(to)}${alert.initiator ? '' : ', and the other way around'}.`),
      h('p', { class: 'dim' }, 'It is a rule like those of the inventory: detectors that ask who may talk to whom do not raise this again. What other detectors watch for (listed addresses, amounts, beacons) they go on telling.'),
      ...words(), field('Ticket', h('input', { name: 'ticket', required: true, maxlength: 200, autocomplete: 'off' })), until('How long', days, '7'),
      dangerous && h('label', { class: 'check danger' }, h('input', { type: 'checkbox', name: 'confirm', required: true }),
        h('span', {}, 'An address outside all zones and a lawful-intercept system: the duty officer of lawful interception has confirmed this to me over another channel.'))],
    async (data) => {
      await send('POST', `alerts/${encodeURIComponent(alert.id)}/approve`, {
        ...said(data), ticket: data.get('ticket'), expires_at: `${24 * Number(data.get('until'))}h`, confirm_outside_to_lawful_intercept: data.get('confirm') === 'on',
      })
      return 'Approved. It is listed under Silences, with the rules to paste into the inventory.'
    }, done)
}

// form is folded until somebody wants it. It says below the button how it went.
function form(id, title, verb, fields, submit, done) {
  const outcome = h('p', { class: 'outcome', role: 'status' })
  const button = h('button', { class: 'button', type: 'submit' }, verb)
  const element = h('form', {
    async onsubmit(event) {
      event.preventDefault()
      button.disabled = true
      outcome.className = 'outcome'
      outcome.textContent = 'Sending …'
      try {
        outcome.textContent = await submit(new FormData(element))
        done(id)
      } catch (error) {
        outcome.className = 'outcome error'
        outcome.textContent = error.message
        element.elements[error.parameter === 'expires_at' ? 'until' : error.parameter]?.focus?.()
      }
      button.disabled = false
    },
  }, fields, button, outcome)
  return h('details', { id: `act-${id}` }, h('summary', {}, title), element)
}

const field = (label, input) => h('label', { class: 'field' }, h('span', {}, label), input)

const words = () => [
  field('Who answers for it', h('input', { name: 'owner', required: true, maxlength: 200, autocomplete: 'off', placeholder: 'a person or a team' })),
  field('Why', h('input', { name: 'reason', required: true, maxlength: 500, autocomplete: 'off', placeholder: 'for whoever reads it in a year' })),
]

const until = (label, choices, preset) => field(label,
  h('select', { name: 'until' }, choices.map(([value, text]) => h('option', { value, selected: value === preset }, text))))

const choice = (name, value, text, checked) => h('label', { class: 'check' }, h('input', { type: 'checkbox', name, value, checked }), h('span', {}, text))

const said = (data) => ({ owner: data.get('owner'), reason: data.get('reason') })
