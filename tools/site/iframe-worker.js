// A page that is read from a disk may start no worker, and the theme's search is one. Here its script
// runs in a hidden frame instead. The worker looks for `IFrameWorker` in its parent, and then finds
// its own address in the frame's first script.
if (location.protocol === "file:") {
  class IFrameWorker extends EventTarget {
    constructor(address) {
      super()
      this.frame = document.createElement("iframe")
      this.frame.hidden = true
      const start = () => {
        document.body.append(this.frame)
        const inside = this.frame.contentWindow
        inside.postMessage = (data) => this.tell(data)
        inside.importScripts = (...names) =>
          names.reduce((before, name) => before.then(() => load(inside, name)), Promise.resolve())
        this.ready = load(inside, address)
      }
      document.body ? start() : addEventListener("DOMContentLoaded", start)
    }
    tell(data) {
      const event = new MessageEvent("message", { data })
      this.dispatchEvent(event)
      if (this.onmessage) this.onmessage(event)
    }
    postMessage(data) {
      this.ready.then(() =>
        this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })))
    }
    terminate() {
      this.frame.remove()
    }
  }

  function load(inside, address) {
    return new Promise((done, failed) => {
      const script = inside.document.createElement("script")
      script.src = address
      script.onload = done
      script.onerror = failed
      inside.document.body.append(script)
    })
  }

  window.IFrameWorker = IFrameWorker
  window.Worker = IFrameWorker
}
