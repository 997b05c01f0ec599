// The camera: asks for it, looks for codes in its pictures, sleeps when nobody needs it.

export type Denied = "denied" | "none" | "busy";

const EVERY = 60, SPARING = 300; // ms between two looks; a look takes 8 to 70
const FULL = 5; // each fifth look takes the whole picture, the others the centre square

export class Reader {
  private worker = new Worker("reader.js");
  private waiting = new Map<number, (texts: string[]) => void>();
  private next = 1;

  constructor() {
    this.worker.onmessage = ({ data }) => {
      if (data.ready) { document.documentElement.dataset.reader = data.ready; return; }
      this.waiting.get(data.id)?.(data.texts);
      this.waiting.delete(data.id);
    };
  }

  /** find gives the texts of the codes in a picture, two at most. hard looks longer. */
  find(picture: ImageData, hard: boolean): Promise<string[]> {
    return new Promise((done) => {
      const id = this.next++;
      this.waiting.set(id, done);
      this.worker.postMessage({ id, picture, hard }, [picture.data.buffer]);
    });
  }

  /** photo looks in a file; a picture of many megapixels is made smaller first. */
  async photo(file: Blob): Promise<string[]> {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, 2400 / Math.max(bitmap.width, bitmap.height));
    const canvas = new OffscreenCanvas(Math.round(bitmap.width * scale), Math.round(bitmap.height * scale));
    const g = canvas.getContext("2d")!;
    g.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return this.find(g.getImageData(0, 0, canvas.width, canvas.height), true);
  }
}

export class Camera {
  readonly video: HTMLVideoElement;
  private stream: MediaStream | null = null;
  private square = document.createElement("canvas");
  private whole = document.createElement("canvas");
  private running = 0;
  private every = EVERY;

  constructor(private reader: Reader, video: HTMLVideoElement) { this.video = video; }

  /**
   * start looks until stop; found gets one code, or two that stand in one picture, and
   * lost is told when the camera goes away. id is the camera last chosen, "" for the
   * one at the back; sparing looks less often.
   */
  async start(found: (texts: string[]) => void, lost: () => void, id: string, sparing: boolean): Promise<Denied | null> {
    const run = ++this.running;
    this.every = sparing ? SPARING : EVERY;
    if (!this.stream) {
      if (!navigator.mediaDevices?.getUserMedia) return "none";
      try {
        const stream = await this.ask(id, sparing);
        if (run !== this.running) { stream.getTracks().forEach((track) => track.stop()); return null; }
        this.stream = stream;
        this.track!.onended = () => { if (run === this.running) { this.stop(); lost(); } };
      } catch (e) {
        const name = (e as DOMException).name;
        return name === "NotAllowedError" || name === "SecurityError" ? "denied" : name === "NotReadableError" ? "busy" : "none";
      }
      await this.constrain({ focusMode: "continuous" });
    }
    this.video.srcObject = this.stream;
    await this.video.play().catch(() => {});
    this.look(run, found);
    return null;
  }

  private async ask(id: string, sparing: boolean): Promise<MediaStream> {
    const ask = (which: object) => navigator.mediaDevices.getUserMedia({ audio: false, video: {
      ...which, width: { ideal: 1920 }, height: { ideal: 1080 }, frameRate: { ideal: sparing ? 10 : 30 }, zoom: true } as MediaTrackConstraints });
    if (!id) return ask({ facingMode: "environment" });
    try {
      return await ask({ deviceId: { exact: id } });
    } catch (e) {
      // The camera last chosen is gone, or the browser has given it another name.
      if (!["OverconstrainedError", "NotFoundError"].includes((e as DOMException).name)) throw e;
      return ask({ facingMode: "environment" });
    }
  }

  /** stop lets go of the camera: heat and battery. */
  stop() {
    this.running++;
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.video.srcObject = null;
  }

  private get track() { return this.stream?.getVideoTracks()[0]; }

  hasTorch() { return !!(this.track?.getCapabilities?.() as { torch?: boolean } | undefined)?.torch; }
  torch(on: boolean) { return this.constrain({ torch: on }); }

  /** next is the camera after the one in use; null where there is one alone. */
  async next(): Promise<string | null> {
    const all = (await navigator.mediaDevices.enumerateDevices()).filter((d) => d.kind === "videoinput" && d.deviceId);
    const at = all.findIndex((d) => d.deviceId === this.track?.getSettings().deviceId);
    return all.length > 1 ? all[(at + 1) % all.length].deviceId : null;
  }

  /** zoomRange is what the camera can, null where it cannot. */
  zoomRange(): { min: number; max: number; step: number; value: number } | null {
    const z = (this.track?.getCapabilities?.() as { zoom?: { min: number; max: number; step: number } } | undefined)?.zoom;
    const value = (this.track?.getSettings() as { zoom?: number } | undefined)?.zoom;
    return z && z.max > z.min ? { min: z.min, max: z.max, step: z.step || (z.max - z.min) / 20, value: value ?? z.min } : null;
  }
  zoom(to: number) { return this.constrain({ zoom: to }); }

  private async constrain(c: object) {
    try {
      await this.track?.applyConstraints({ advanced: [c as MediaTrackConstraintSet] });
    } catch { /* the camera cannot; scanning goes on without */ }
  }

  private async look(run: number, found: (texts: string[]) => void) {
    for (let n = 1; run === this.running; n++) {
      const { videoWidth: w, videoHeight: h } = this.video;
      if (w && h) {
        const whole = n % FULL === 0, side = Math.min(w, h);
        const [cw, ch] = whole ? [w, h] : [side, side];
        const canvas = whole ? this.whole : this.square; // one each: setting a size makes a new picture
        if (canvas.width !== cw || canvas.height !== ch) Object.assign(canvas, { width: cw, height: ch });
        const g = canvas.getContext("2d", { willReadFrequently: true })!;
        g.drawImage(this.video, (w - cw) / 2, (h - ch) / 2, cw, ch, 0, 0, cw, ch);
        const texts = await this.reader.find(g.getImageData(0, 0, cw, ch), whole);
        if (run !== this.running) return;
        if (texts.length) found(texts);
      }
      await new Promise((done) => setTimeout(done, this.every));
    }
  }
}
