// Lists texts of the page whose contrast with what is behind them is below 4.5 (WCAG
// 2.2, 1.4.3), as "ratio: text".
(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = colour
    canvas.fillRect(0, 0, 1, 1)
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data
    return { rgb: [r, g, b], a: a / 255 }
  }
  const over = (top, below) => top.rgb.map((v, i) => v * top.a + below[i] * (1 - top.a))
  const behind = (element) => {
    if (!element) return [255, 255, 255]
    const own = rgba(getComputedStyle(element).backgroundColor)
    return own.a === 1 ? own.rgb : over(own, behind(element.parentElement))
  }
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v /= 255, v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const bad = []
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement
    const text = texts.currentNode.textContent.trim()
    if (!text || element.closest('svg, noscript, .hidden, option') || !element.checkVisibility()) continue
    const back = behind(element)
    const [a, b] = [luminance(over(rgba(getComputedStyle(element).color), back)), luminance(back)]
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)
    if (ratio < 4.5) bad.push(`${ratio.toFixed(2)}: ${text.slice(0, 40)}`)
  }
  return bad
})()
