"""Emoji shortcodes, as Slack names them; a name that isn't here stays readable as `:name:`."""

_NAMES = """
eyes 👀|white_check_mark ✅|heavy_check_mark ✔️|ballot_box_with_check ☑️|x ❌|negative_squared_cross_mark ❎
incoming_envelope 📨|envelope ✉️|email 📧|e-mail 📧|outbox_tray 📤|inbox_tray 📥|mailbox 📫|speech_balloon 💬
thought_balloon 💭|left_speech_bubble 🗨️|telephone_receiver 📞|phone ☎️|iphone 📱|calling 📲|bell 🔔|no_bell 🔕
loudspeaker 📢|mega 📣|warning ⚠️|rotating_light 🚨|no_entry ⛔|no_entry_sign 🚫|octagonal_sign 🛑|construction 🚧
information_source ℹ️|question ❓|grey_question ❔|exclamation ❗|bangbang ‼️|bulb 💡|mag 🔍|mag_right 🔎
memo 📝|pencil 📝|pencil2 ✏️|clipboard 📋|page_facing_up 📄|page_with_curl 📃|bookmark_tabs 📑|bookmark 🔖
book 📖|books 📚|notebook 📓|newspaper 📰|file_folder 📁|open_file_folder 📂|card_index 📇|card_index_dividers 🗂️
file_cabinet 🗄️|paperclip 📎|pushpin 📌|round_pushpin 📍|link 🔗|scissors ✂️|wastebasket 🗑️|calendar 📆
date 📅|spiral_calendar_pad 🗓️|chart_with_upwards_trend 📈|chart_with_downwards_trend 📉|bar_chart 📊
hourglass ⌛|hourglass_flowing_sand ⏳|stopwatch ⏱️|alarm_clock ⏰|timer_clock ⏲️|clock1 🕐|clock3 🕒|clock9 🕘
watch ⌚|lock 🔒|unlock 🔓|closed_lock_with_key 🔐|key 🔑|old_key 🗝️|shield 🛡️|identification_card 🪪
bust_in_silhouette 👤|busts_in_silhouette 👥|person_raising_hand 🙋|raising_hand 🙋|technologist 🧑‍💻|robot_face 🤖
computer 💻|desktop_computer 🖥️|keyboard ⌨️|printer 🖨️|three_button_mouse 🖱️|floppy_disk 💾|cd 💿|battery 🔋
electric_plug 🔌|satellite_antenna 📡|signal_strength 📶|globe_with_meridians 🌐|earth_africa 🌍|cloud ☁️
gear ⚙️|wrench 🔧|hammer 🔨|hammer_and_wrench 🛠️|nut_and_bolt 🔩|toolbox 🧰|test_tube 🧪|microscope 🔬|package 📦
label 🏷️|ticket 🎫|admission_tickets 🎟️|receipt 🧾|moneybag 💰|credit_card 💳|briefcase 💼|office 🏢|house 🏠
door 🚪|chair 🪑|tada 🎉|sparkles ✨|star ⭐|star2 🌟|dizzy 💫|fire 🔥|zap ⚡|boom 💥|rocket 🚀|trophy 🏆
first_place_medal 🥇|dart 🎯|rainbow 🌈|sunny ☀️|partly_sunny ⛅|umbrella ☔|snowflake ❄️|ocean 🌊|evergreen_tree 🌲
seedling 🌱|four_leaf_clover 🍀|coffee ☕|tea 🍵|cake 🍰|beer 🍺|pizza 🍕|+1 👍|thumbsup 👍|-1 👎|thumbsdown 👎
ok_hand 👌|wave 👋|clap 👏|raised_hands 🙌|pray 🙏|handshake 🤝|point_right 👉|point_left 👈|point_up ☝️
point_up_2 👆|point_down 👇|raised_hand ✋|v ✌️|crossed_fingers 🤞|muscle 💪|writing_hand ✍️|heart ❤️
green_heart 💚|blue_heart 💙|yellow_heart 💛|purple_heart 💜|broken_heart 💔|100 💯|smile 😄|smiley 😃|grinning 😀
grin 😁|joy 😂|slightly_smiling_face 🙂|simple_smile 🙂|blush 😊|wink 😉|relaxed ☺️|sunglasses 😎|thinking_face 🤔
neutral_face 😐|confused 😕|worried 😟|disappointed 😞|cry 😢|sob 😭|sweat_smile 😅|sweat 😓|angry 😠|scream 😱
tired_face 😫|sleeping 😴|face_with_rolling_eyes 🙄|shrug 🤷|facepalm 🤦|see_no_evil 🙈|bug 🐛|whale 🐳|turtle 🐢
arrow_right ➡️|arrow_left ⬅️|arrow_up ⬆️|arrow_down ⬇️|arrow_forward ▶️|leftwards_arrow_with_hook ↩️
arrow_right_hook ↪️|arrows_counterclockwise 🔄|repeat 🔁|fast_forward ⏩|rewind ⏪|new 🆕|ok 🆗|sos 🆘|up 🆙
free 🆓|red_circle 🔴|large_orange_circle 🟠|large_yellow_circle 🟡|large_green_circle 🟢|large_blue_circle 🔵
large_purple_circle 🟣|white_circle ⚪|black_circle ⚫|large_red_square 🟥|large_green_square 🟩
small_blue_diamond 🔹|small_orange_diamond 🔸|heavy_plus_sign ➕|heavy_minus_sign ➖|one 1️⃣|two 2️⃣|three 3️⃣
four 4️⃣|five 5️⃣|six 6️⃣|seven 7️⃣|eight 8️⃣|nine 9️⃣|zero 0️⃣|checkered_flag 🏁|triangular_flag_on_post 🚩
"""

EMOJI: dict[str, str] = {
    name: character
    for line in _NAMES.strip().splitlines()
    for name, character in (pair.split() for pair in line.split("|"))
}


def emoji(name: str) -> str:
    """The character for a shortcode's name (skin tones are dropped), or `:name:` when we don't know it."""
    return EMOJI.get(name.split("::")[0], f":{name}:")
