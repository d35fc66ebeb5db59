// Follows the stream of alerts, whatever happens to the connection.

// silence is how long the stream may say nothing, in ms: its heartbeat comes every
// 15 s, so by then the connection is dead without anybody having said so.
const silence = 40_000
const slowest = 10_000

export class Live {
  #source = null
  #parameters = {}
  #after = '0'
  #watchdog = 0
  #retry = 0
  #wait = 1000

  // onAlert gets each changed alert, onState 'live' or 'reconnecting'.
  constructor(onAlert, onState) {
    this.onAlert = onAlert
    this.onState = onState
  }

  // follow starts anew: alerts that parameters select, changed after that version.
  follow(parameters, after) {
    this.#parameters = parameters
    this.#after = after
    this.#open()
  }

  #open() {
    this.#close()
    const query = new URLSearchParams({ ...this.#parameters, after: this.#after })
    const source = this.#source = new EventSource(`/api/v1/alerts/stream?${query}`)
    this.#listen()
    source.addEventListener('open', () => {
      this.#wait = 1000
      this.#listen()
      this.onState('live')
    })
    source.addEventListener('alert', (event) => {
      this.#after = event.lastEventId
      this.#listen()
      this.onAlert(JSON.parse(event.data))
    })
    source.addEventListener('heartbeat', () => this.#listen())
    source.addEventListener('error', () => {
      this.onState('reconnecting')
      // The browser reconnects by itself unless the server refused.
      if (source.readyState === EventSource.CLOSED) this.#later()
    })
  }

  #later() {
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#open(), this.#wait)
    this.#wait = Math.min(this.#wait * 2, slowest)
  }

  // listen gives the stream its full time again.
  #listen() {
    clearTimeout(this.#watchdog)
    this.#watchdog = setTimeout(() => {
      this.onState('reconnecting')
      this.#open()
    }, silence)
  }

  #close() {
    clearTimeout(this.#watchdog)
    clearTimeout(this.#retry)
    this.#source?.close()
  }
}
