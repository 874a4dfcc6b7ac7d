"""Lists of words, as parts of regular expressions."""

from typing import Final

HAN: Final = r"\u3400-\u9fff\uf900-\ufaff"  # inside [...]

# Things that people wear or hold, by where they stay. Plurals are found too.
ON_HEAD: Final = (
    "fedora", "hat", "cap", "crown", "helmet", "hood", "wig", "veil", "mask", "headband", "headscarf", "turban", "bonnet",
    "beret", "tiara", "headdress", "hairpin", "sunglasses", "glasses", "spectacles", "earring",
)  # fmt: skip
ON_BODY: Final = (
    "suit", "jacket", "coat", "overcoat", "trench coat", "waistcoat", "vest", "blazer", "tuxedo", "shirt", "t-shirt", "blouse",
    "sweater", "hoodie", "cardigan", "trousers", "pants", "jeans", "shorts", "leggings", "skirt", "dress", "gown", "robe",
    "hanfu", "qipao", "cheongsam", "kimono", "tunic", "cloak", "cape", "shawl", "scarf", "tie", "bow tie", "belt", "sash",
    "gloves", "glove", "boot", "shoe", "sandal", "stocking", "sock", "uniform", "armor", "armour", "apron", "outfit", "clothes",
    "clothing", "garment", "corset", "jumpsuit", "parka", "sleeve", "necklace", "bracelet",
)  # fmt: skip
IN_HAND: Final = (
    "sword", "dagger", "knife", "spear", "staff", "gun", "pistol", "fan", "umbrella", "parasol", "cup", "teacup", "wine glass",
    "goblet", "bottle", "phone", "book", "letter", "scroll", "lantern", "torch", "bag", "handbag", "basket", "cane", "pendant",
    "jade pendant", "handkerchief", "flute", "cigarette", "pipe", "ring", "ball", "bouquet", "tray",
)  # fmt: skip
NO_CLOTHING: Final = (
    "hairpin",
    "sunglasses",
    "glasses",
    "spectacles",
    "earring",
    "necklace",
    "bracelet",
    "crown",
    "tiara",
)
ON_HEAD_ZH: Final = (
    "礼帽", "帽子", "草帽", "斗笠", "头盔", "皇冠", "凤冠", "头巾", "面纱", "面具", "发簪", "簪子", "发带", "眼镜", "墨镜", "耳环",
    "帽",
)  # fmt: skip
ON_BODY_ZH: Final = (
    "西装外套", "西装", "西服", "外套", "夹克", "皮衣", "风衣", "大衣", "斗篷", "披风", "披肩", "长袍", "袍子", "龙袍", "旗袍",
    "汉服", "长裙", "短裙", "裙子", "连衣裙", "礼服", "长裤", "西裤", "裤子", "牛仔裤", "短裤", "靴子", "长靴", "皮靴", "鞋子",
    "皮鞋", "衬衫", "衬衣", "马甲", "背心", "毛衣", "卫衣", "上衣", "衣服", "衣裳", "衣衫", "长衫", "制服", "军装", "劲装",
    "夜行衣", "铠甲", "盔甲", "腰带", "领带", "领结", "围巾", "手套", "面罩", "披帛", "袍", "裙", "靴", "衣",
)  # fmt: skip
IN_HAND_ZH: Final = (
    "长剑", "宝剑", "短剑", "匕首", "长刀", "长枪", "法杖", "手枪", "折扇", "团扇", "扇子", "雨伞", "油纸伞", "茶杯", "酒杯", "杯子",
    "茶盏", "酒壶", "瓶子", "手机", "书信", "信封", "卷轴", "灯笼", "玉佩", "玉坠", "手帕", "篮子", "剑", "刀", "伞", "扇",
)  # fmt: skip
NO_CLOTHING_ZH: Final = ("发簪", "簪子", "眼镜", "墨镜", "耳环", "皇冠", "凤冠")

# Colours. The dark ones drift towards white.
HUES: Final = r"(?:blue|gr[ae]y|green|red|brown|purple|navy|violet|crimson|maroon|teal|olive|indigo|burgundy)"
DARK: Final = (
    r"(?:(?:jet|pitch|coal|ink|raven|all|solid)[- ])?black", r"charcoal(?:[- ](?:gr[ae]y|black))?", r"navy(?:[- ]blue)?",
    r"midnight[- ](?:blue|black)", rf"dark(?:[- ]{HUES}|-colou?red)?", "ebony", "onyx",
)  # fmt: skip
LIGHT: Final = (
    "white", "ivory", "cream", "beige", "tan", "khaki", "silver", "golden", "gold", "yellow", "orange", "pink", "red", "scarlet",
    "crimson", "maroon", "burgundy", "purple", "violet", "lavender", "blue", "azure", "turquoise", "teal", "green", "olive",
    "brown", "grey", "gray", "pale", "light", "bright", "multicoloured", "multicolored", "colourful", "colorful",
)  # fmt: skip
DARK_ZH: Final = (
    "漆黑色?", "乌黑色?", "墨黑色?", "纯黑色?", "黑色", "深(?:黑|蓝|灰|红|紫|绿|棕|褐)?色", "藏青色?", "藏蓝色?", "墨绿色?", "墨色",
    "玄色", "暗(?:红|蓝|紫|绿|灰)?色", "黑",
)  # fmt: skip
LIGHT_ZH: Final = r"[白红蓝绿黄紫灰粉金银青橙棕褐米素碧浅淡彩花]"

# What may stand between a colour and its garment.
CUTS: Final = (
    "leather", "silk", "wool", "woollen", "woolen", "velvet", "cotton", "linen", "satin", "lace", "denim", "fur", "cashmere",
    "chiffon", "tweed", "suede", "mesh", "long", "short", "wide", "loose", "tight", "heavy", "thick", "thin", "light", "plain",
    "simple", "elegant", "formal", "casual", "business", "evening", "wedding", "mourning", "winter", "summer", "silken",
    "flowing", "matching", "old", "new", "worn", "shiny", "glossy", "matte", "sheer", "ornate", "traditional", "modern",
    "wuxia", "palace", "court", "royal", "imperial", "ceremonial", "military", "police", "school", "riding", "sports", "sun",
    "straw", "top", "bowler", "baseball", "cowboy", "dress", "suit", "outer", "inner", "full", "slim", "high", "low",
)  # fmt: skip
CUTS_ZH: Final = (
    "丝绸", "绸缎", "皮质", "皮", "羊毛", "羊绒", "天鹅绒", "棉质", "棉", "麻", "绣花", "刺绣", "修身", "宽松", "宽大", "厚重", "轻薄",
    "连帽", "双排扣", "三件套", "传统", "古装", "长款", "短款", "长", "短", "高领", "半透明", "薄纱",
)  # fmt: skip

# People, by the pronoun that stands for them.
HE: Final = (
    "man", "boy", "gentleman", "prince", "king", "emperor", "father", "son", "brother", "husband", "lord", "monk", "guy", "male",
    "swordsman", "uncle", "grandfather", "businessman", "policeman", "groom", "duke", "hero",
)  # fmt: skip
SHE: Final = (
    "woman", "girl", "lady", "princess", "queen", "empress", "mother", "daughter", "sister", "wife", "maid", "female", "heroine",
    "bride", "aunt", "grandmother", "businesswoman", "policewoman", "swordswoman", "concubine", "nun", "duchess",
)  # fmt: skip
THEY: Final = (
    "person", "figure", "character", "guard", "warrior", "soldier", "general", "doctor", "nurse", "detective", "child", "scholar",
    "servant", "assassin", "student", "teacher", "officer", "villain", "robot", "dancer", "singer", "stranger", "friend",
    "colleague", "waiter", "waitress", "barista", "boss", "reporter", "lawyer", "judge", "elder", "teenager", "adult",
    "speaker", "actor", "actress", "knight", "cleaner", "driver", "nobleman", "protagonist", "antagonist",
)  # fmt: skip
PEOPLE_ZH: Final = (
    "男子", "男人", "男生", "男孩", "男士", "女子", "女人", "女生", "女孩", "女士", "少年", "少女", "青年", "老人", "老者", "公子", "姑娘",
    "小姐", "王爷", "王子", "公主", "太子", "皇子", "皇帝", "皇后", "贵妃", "妃子", "将军", "侍卫", "侍女", "丫鬟", "宫女", "太监", "刺客",
    "侠客", "剑客", "女侠", "书生", "和尚", "老板", "医生", "护士", "警察", "侦探", "先生", "母亲", "父亲", "女主角", "男主角", "女主",
    "男主", "反派", "黑衣人",
)  # fmt: skip
LOOKS: Final = (
    "young", "old", "elderly", "aged", "middle-aged", "teenage", "tall", "short", "slim", "slender", "thin", "stout", "plump",
    "muscular", "bald", "pretty", "beautiful", "handsome", r"\w+-haired", "hair", "haired", "hairstyle", "bearded", "beard",
    "moustache", "mustache", "wearing", "wears", "dressed", "clad", "robed", "eyes", "scar", "freckles", "pale", "tanned",
    "wrinkled", "blonde", "blond", "brunette", "redhead", "skinned", "costume",
)  # fmt: skip
LOOKS_ZH: Final = (
    "年轻", "年老", "中年", "老年", "苍老", "高大", "魁梧", "瘦", "胖", "高挑", "娇小", "发髻", "长发", "短发", "白发", "黑发", "银发",
    "卷发", "马尾", "胡", "身穿", "身着", "穿着", "身披", "头戴", "戴着", "美丽", "英俊", "俊", "清秀", "秀丽", "端庄", "白衣", "黑衣",
    "红衣", "青衣", "蓝衣", "紫衣", "绿衣", "一袭", "一身", "眉", "脸庞", "面容",
)  # fmt: skip

SIZES: Final = (
    r"close[- ]?ups?", (r"(?:extreme|medium|mid|full|wide|very wide|extreme wide|long|establishing|master|cowboy|american|medium close|"
    r"medium long|medium wide|full[- ]body|full[- ]length|half[- ]body|waist[- ]up|knee[- ]up|head[- ]and[- ]shoulders|tight|insert|two|"
    r"three)[- ]?shots?"), r"over[- ]the[- ]shoulder", r"waist[- ]up", r"knees?[- ]up", r"shot sizes?", r"full[- ]body",
)  # fmt: skip
SIZES_ZH: Final = (
    "特写",
    "近景",
    "中景",
    "全景",
    "远景",
    "半身",
    "全身",
    "双人镜头",
    "过肩",
    "大全景",
    "空镜",
)
CAMERA: Final = (
    r"(?:static|locked[- ]off|locked|fixed|stationary|handheld|hand[- ]held|moving|steady|shaky|tracking|tripod) (?:camera|shot|frame)",
    (r"camera (?:\w+ly )?(?:is|stays?|remains?|holds?|pans?|tilts?|tracks?|moves?|pushes|push|pulls?|doll(?:y|ies)|zooms?|follows?|orbits?"
    r"|circles?|cranes?|rises|drifts?|glides?|trucks?|rotates?|slides?|angle|at|movement|does|sits|starts?|slowly|never)"),
    r"(?:low|high|eye|dutch|bird's[- ]eye|overhead|aerial|top[- ]down)[- ](?:angle|level|view|shot)", r"doll(?:y|ies)(?: \w+)?",
    r"(?:push|pull|zoom|crane|truck|pan|tilt|track)(?:s|es|ing)?[- ](?:in|out|back|up|down|across|left|right|shot)", r"steadicam",
    r"rack focus", r"orbit(?:s|ing)? shot", r"arc shot", r"pan(?:s|ning)? (?:to|from)", r"slow (?:pan|zoom|push|tilt)", r"handheld",
)  # fmt: skip
CAMERA_ZH: Final = (
    r"(?:固定|静止|手持|移动|跟随|环绕|跟踪|推进|拉远|摇)(?:的)?(?:镜头|机位|摄影机|摄像机|拍摄)",
    rf"(?:镜头|摄影机|摄像机)[{HAN}]{{0,4}}(?:推|拉|摇|移|跟|升|降|环绕|静止|固定|不动|切|对准|停)", r"(?:推|拉|摇|移|跟|升|降)镜头?",
    r"机位", r"跟拍", r"航拍", r"俯拍", r"仰拍", r"平视", r"俯视角", r"仰视角", r"低角度", r"高角度", r"运镜", r"手持拍摄",
)  # fmt: skip


# A name: a word or two in capitals, none of those that begin sentences.
NAME: Final = (
    r"\b(?!(?:The|An?|It|In|On|At|As|When|While|Then|His|Her|He|She|They|Two|Both|This|That|I|We|You|My|Your)\b)"
    r"[A-Z][a-z]+(?: [A-Z][a-z]+)?\b"
)


def any_of(*words: str) -> str:
    """A group of the words; the longer ones come first, for they may begin with the shorter."""
    return f"(?:{'|'.join(sorted(words, key=len, reverse=True))})"


def whole(*words: str, plural: bool = False) -> str:
    """A group of English words that are no part of longer ones."""
    return rf"(?<![\w'’-]){any_of(*words)}{'(?:e?s)?' if plural else ''}(?![\w-])"
