// The one dialog: asks for what an act needs. The browser keeps the focus in it and gives it back after.
import { dialog, settleDialog } from "../lib/dialog.js";

export default {
  data: () => ({ dialog, given: {} }),
  watch: {
    "dialog.asked"(asked) {
      if (!asked) return this.$refs.box.close();
      this.given = Object.fromEntries(asked.fields.map((field) => [field.name, field.value ?? (field.kind === "many" ? [] : "")]));
      this.$nextTick(() => this.$refs.box.open || this.$refs.box.showModal());
    },
  },
  methods: {
    confirm() {
      settleDialog({ ...this.given });
    },
    cancel: () => settleDialog(null),
    value: (option) => option.value ?? option,
    label: (option) => option.label ?? option,
  },
  template: `
    <dialog ref="box" class="ask" aria-labelledby="ask-title" @cancel.prevent="cancel">
      <form v-if="dialog.asked" method="dialog" @submit.prevent="confirm">
        <h2 id="ask-title">{{ dialog.asked.title }}</h2>
        <p v-if="dialog.asked.about" class="about">{{ dialog.asked.about }}</p>
        <template v-for="field in dialog.asked.fields" :key="field.name">
          <fieldset v-if="field.kind === 'choice' || field.kind === 'many'">
            <legend>{{ t(field.label) }}</legend>
            <div class="options">
              <label v-for="option in field.options" :key="value(option)">
                <input :type="field.kind === 'many' ? 'checkbox' : 'radio'" :name="field.name" :value="value(option)"
                  v-model="given[field.name]" :required="field.required && field.kind === 'choice'" /><span>{{ label(option) }}</span></label>
            </div>
          </fieldset>
          <label v-else class="field">
            <span>{{ t(field.label) }}<small v-if="field.required">{{ t('required') }}</small></span>
            <textarea v-if="field.kind === 'long'" v-model.trim="given[field.name]" :required="field.required" rows="3" maxlength="2000"></textarea>
            <select v-else-if="field.kind === 'select'" v-model="given[field.name]" :required="field.required">
              <option v-for="option in field.options" :key="value(option)" :value="value(option)">{{ label(option) }}</option></select>
            <input v-else-if="field.kind === 'code'" v-model.trim="given[field.name]" :required="field.required" inputmode="numeric"
              pattern="[0-9]{6}" maxlength="6" autocomplete="one-time-code" />
            <input v-else-if="field.kind === 'file' || field.kind === 'photo'" type="file" :accept="field.kind === 'photo' ? 'image/*' : '.toml,text/*'"
              :capture="field.kind === 'photo' ? 'environment' : null" :required="field.required" @change="given[field.name] = $event.target.files[0] ?? ''" />
            <template v-else><input v-model.trim="given[field.name]" :name="field.name" :required="field.required" :type="field.kind" maxlength="200" :list="'known-' + field.name" />
              <datalist :id="'known-' + field.name"><option v-for="option in field.options ?? []" :key="option" :value="option"></option></datalist></template>
            <small v-if="field.hint">{{ t(field.hint) }}</small>
          </label>
        </template>
        <div class="buttons">
          <button type="button" @click="cancel">{{ t('cancel') }}</button>
          <button type="submit" class="primary">{{ dialog.asked.confirm }}</button>
        </div>
      </form>
    </dialog>`,
};
